package dev.countersign.server.separation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.MayNot;
import dev.countersign.server.separation.Ruling.Reason;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Votes of a generated tenant in an order of chance, each held to the oracle. */
final class Ballot {
    private final World world;
    private final List<Stage> stages;
    /** How many votes only counted as their stage had escalated. */
    int escalated;

    /** How many places were handed on, and how many votes were in such a place. */
    int handedOn;

    int inHanded;

    Ballot(World world) {
        this.world = world;
        this.stages = world.stages;
    }

    /** Whether some order of votes fills the places that are open, by trying all. */
    boolean completes(int[] open, Set<String> spent) {
        int stage = 0;
        while (stage < open.length && open[stage] == 0) {
            stage++;
        }
        if (stage == open.length) {
            return true;
        }
        for (String voter : World.PEOPLE) {
            for (String place : world.places(voter, stages.get(stage), spent, true)) {
                var gone = new HashSet<>(spent);
                gone.add(voter);
                gone.add(place);
                int[] left = open.clone();
                left[stage]--;
                if (completes(left, gone)) {
                    return true;
                }
            }
        }
        return false;
    }

    void vote(Panel made, String what) {
        Panel panel = made;
        var given = new ArrayList<Review>();
        var spent = new HashSet<String>();
        int[] open = stages.stream().mapToInt(Stage::quorum).toArray();
        boolean possible = completes(open, spent);
        assertThat(panel.possible(stages)).as(what).isEqualTo(possible);
        for (int stage = 0; stage < open.length; stage++) {
            while (open[stage] > 0) {
                for (int i = 0; i < 4; i++) {
                    panel = hand(panel, stage, given, open, spent, what);
                }
                var may = new ArrayList<Review>();
                for (String voter : World.PEOPLE) {
                    Ruling ruling = panel.rule(stage, world.id(voter), given);
                    check(ruling, voter, stage, open, spent, what + ": " + voter + " after " + given);
                    if (ruling instanceof May vote) {
                        may.add(new Review(world.id(voter), vote.inPlaceOf(), stage));
                    }
                }
                assertThat(panel.eligible(stage, given))
                        .as(what)
                        .extracting(Reviewer::person)
                        .containsExactlyElementsOf(
                                may.stream().map(Review::person).toList());
                if (!world.late() && (may.isEmpty() || world.random.nextInt(8) == 0)) {
                    world.age();
                    panel = panel.escalated();
                    continue;
                }
                if (may.isEmpty()) {
                    assertThat(possible).as(what + " got stuck after " + given).isFalse();
                    return;
                }
                Review vote = world.one(may);
                given.add(vote);
                open[stage]--;
                inHanded += vote.inPlaceOf() != null && world.handed.containsKey(world.name(vote.inPlaceOf())) ? 1 : 0;
                String place = world.name(vote.inPlaceOf() == null ? vote.person() : vote.inPlaceOf());
                escalated += world.holds(place, stages.get(stage)) ? 0 : 1;
                take(vote.person(), spent, what);
                if (vote.inPlaceOf() != null) {
                    take(vote.inPlaceOf(), spent, what);
                }
            }
        }
        assertThat(possible).as(what + " was completed by " + given).isTrue();
    }

    /** The panel after somebody has handed a place on, if chance wants it and it may be. */
    private Panel hand(Panel panel, int stage, List<Review> given, int[] open, Set<String> spent, String what) {
        String from = world.one(World.PEOPLE);
        String to = world.one(World.PEOPLE);
        if (world.random.nextBoolean() || from.equals(to)) {
            return panel;
        }
        String how = what + ": " + from + " to " + to + " after " + given;
        boolean has = !world.handed.containsKey(from) && holds(from, stage, spent);
        assertThat(panel.hands(stage, world.id(from), given) instanceof May)
                .as(how)
                .isEqualTo(has);
        boolean takes = world.free(to) && !world.handed.containsKey(to) && !spent.contains(to);
        assertThat(panel.takes(world.id(to), given) instanceof May).as(how).isEqualTo(takes);
        if (!has || !takes) {
            return panel;
        }
        boolean before = completes(open, spent);
        assertThat(panel.completes(given)).as(how).isEqualTo(before);
        Panel after = panel.handing(Map.of(world.id(from), world.id(to)));
        world.handed.put(from, to);
        boolean still = completes(open, spent);
        assertThat(after.completes(given)).as(how).isEqualTo(still);
        if (before && !still) {
            world.handed.remove(from);
            return panel;
        }
        handedOn++;
        return after;
    }

    /** Whether a person fills a stage from this one on, in time, in the own place or one that was handed on. */
    private boolean holds(String name, int from, Set<String> spent) {
        return stages.subList(from, stages.size()).stream()
                .flatMap(stage -> world.places(name, stage, spent, true).stream())
                .anyMatch(place -> place.equals(name) || world.handed.containsKey(place));
    }

    private void take(UUID id, Set<String> spent, String what) {
        assertThat(spent.add(world.name(id)))
                .as(what + ": twice " + world.name(id))
                .isTrue();
    }

    private void check(Ruling ruling, String voter, int stage, int[] open, Set<String> spent, String what) {
        Set<String> places = world.places(voter, stages.get(stage), spent, false);
        if (ruling instanceof May may) {
            String place = may.inPlaceOf() == null ? voter : world.name(may.inPlaceOf());
            assertThat(places).as(what).contains(place);
            assertThat(world.side).as(what).doesNotContain(voter, place);
            return;
        }
        Reason expected = world.side.contains(voter)
                ? Reason.REQUESTERS_SIDE
                : !world.approves(voter)
                        ? Reason.NOT_A_REVIEWER
                        : world.handed.containsKey(voter)
                                ? Reason.HANDED_ON
                                : spent.contains(voter)
                                        ? Reason.VOTED_ALREADY
                                        : places.isEmpty() ? Reason.LACKS_ROLE : Reason.NEEDED_LATER;
        assertThat(((MayNot) ruling).reason()).as(what).isEqualTo(expected);
        if (expected == Reason.NEEDED_LATER) {
            int[] left = open.clone();
            left[stage]--;
            for (String place : places) {
                var gone = new HashSet<>(spent);
                gone.add(voter);
                gone.add(place);
                assertThat(completes(left, gone)).as(what).isFalse();
            }
            assertThat(completes(open, spent)).as(what).isTrue();
        }
    }
}
