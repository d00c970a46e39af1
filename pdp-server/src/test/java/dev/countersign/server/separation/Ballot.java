package dev.countersign.server.separation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.MayNot;
import dev.countersign.server.separation.Ruling.Reason;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Votes of a generated tenant in an order of chance, each held to the oracle. */
final class Ballot {
    private final World world;
    private final List<Stage> stages;
    /** How many votes only counted as their stage had escalated. */
    int escalated;

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
