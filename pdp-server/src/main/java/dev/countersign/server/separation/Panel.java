package dev.countersign.server.separation;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.identity.Role;
import dev.countersign.server.separation.Ruling.May;
import dev.countersign.server.separation.Ruling.MayNot;
import dev.countersign.server.separation.Ruling.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Who may review one access request, as persons, keys, entities and delegations stood at one moment. Immutable.
 *
 * <p>One person fills one place in all stages together. Whoever votes in another's place fills one place too, and spends
 * the votes of both.
 */
public final class Panel {
    /**
     * A person who may approve at all.
     *
     * @param id who
     * @param name what the person is called
     * @param keyRoles what the person's good keys may do, together
     * @param roles the roles that are registered for the user of that name
     */
    record Candidate(UUID id, String name, Set<Role> keyRoles, Set<String> roles) {
        /** The first role of the stage that is not held, unless the stage has escalated to such persons by then. */
        Optional<String> lacks(Stage stage, Moment at) {
            return at.escalated(stage)
                            && stage.escalate() != null
                            && holds(stage.escalate().to())
                    ? Optional.empty()
                    : stage.roles().stream().filter(role -> !holds(role)).findFirst();
        }

        private boolean holds(List<String> all) {
            return all.stream().allMatch(this::holds);
        }

        private boolean holds(String role) {
            return Role.of(role).map(keyRoles::contains).orElseGet(() -> roles.contains(role));
        }
    }

    /** Somebody may vote in another's place, now and on this action. */
    record Substitution(UUID from, UUID to) {}

    private final List<Stage> stages;
    private final Moment at;
    private final Set<UUID> excluded;
    private final boolean twoNeeded;
    /** By name; none of them is excluded. */
    private final Map<UUID, Candidate> candidates;
    /** By who may vote, then by the name of whose place it is; both are candidates. */
    private final Map<UUID, List<Candidate>> principals;

    /**
     * A panel.
     *
     * @param at the moment of all this
     * @param candidates all persons with a good key that may approve
     * @param substitutions those in force
     */
    Panel(
            List<Stage> stages,
            Moment at,
            Set<UUID> excluded,
            boolean twoNeeded,
            Collection<Candidate> candidates,
            Collection<Substitution> substitutions) {
        this.stages = List.copyOf(stages);
        this.at = at;
        this.excluded = Set.copyOf(excluded);
        this.twoNeeded = twoNeeded;
        var free = new LinkedHashMap<UUID, Candidate>();
        candidates.stream()
                .filter(candidate -> !excluded.contains(candidate.id()))
                .sorted(Comparator.comparing(Candidate::name).thenComparing(Candidate::id))
                .forEach(candidate -> free.put(candidate.id(), candidate));
        this.candidates = Collections.unmodifiableMap(free);
        var inPlaceOf = new HashMap<UUID, List<Candidate>>();
        for (Candidate from : free.values()) {
            substitutions.stream()
                    .filter(substitution -> substitution.from().equals(from.id()))
                    .map(Substitution::to)
                    .filter(to -> free.containsKey(to) && !to.equals(from.id()))
                    .distinct()
                    .forEach(to -> inPlaceOf
                            .computeIfAbsent(to, none -> new ArrayList<>())
                            .add(from));
        }
        this.principals = inPlaceOf;
    }

    private Panel(Panel of, List<Stage> stages, Moment at) {
        this.stages = List.copyOf(stages);
        this.at = at;
        this.excluded = of.excluded;
        this.twoNeeded = of.twoNeeded;
        this.candidates = of.candidates;
        this.principals = of.principals;
    }

    /** The same persons for other stages, as after a quorum was raised. */
    public Panel over(List<Stage> stages) {
        return new Panel(this, stages, at);
    }

    /** The same persons once every stage has escalated that can before the request expires. */
    public Panel escalated() {
        return new Panel(this, stages, at.last());
    }

    /** The persons of the requester's side, as they stand now and as they stood when the request was made. */
    public Set<UUID> excluded() {
        return excluded;
    }

    /** Whether nobody is known to answer for the agent that asks, so that one reviewer is not enough. */
    public boolean twoNeeded() {
        return twoNeeded;
    }

    /**
     * Whether there are enough different persons for all places of these stages, when nobody has voted; those too to whom a
     * stage escalates before the request expires.
     */
    public boolean possible(List<Stage> stages) {
        return over(stages).completes(List.of(), Set.of());
    }

    /**
     * Who could vote now, by name.
     *
     * @param stage which one, from 0
     * @param given the votes that were given in all stages
     */
    public List<Reviewer> eligible(int stage, Collection<Review> given) {
        return candidates.values().stream()
                .flatMap(candidate -> rule(stage, candidate.id(), given) instanceof May may
                        ? Optional.of(new Reviewer(candidate.id(), candidate.name(), may.inPlaceOf())).stream()
                        : Optional.<Reviewer>empty().stream())
                .toList();
    }

    /**
     * Whether a person may vote now, and in whose place. The own place comes first; another's is taken if the person has not
     * the roles, or is needed later in the own.
     *
     * @param stage which one, from 0
     * @param given the votes that were given in all stages
     */
    public Ruling rule(int stage, UUID person, Collection<Review> given) {
        Stage asked = stages.get(stage);
        Candidate candidate = candidates.get(person);
        if (candidate == null) {
            return new MayNot(excluded.contains(person) ? Reason.REQUESTERS_SIDE : Reason.NOT_A_REVIEWER);
        }
        Set<UUID> spent = given.stream().flatMap(Review::spent).collect(Collectors.toSet());
        if (spent.contains(person)) {
            return new MayNot(Reason.VOTED_ALREADY);
        }
        var votes = new ArrayList<Review>();
        Optional<String> lacks = candidate.lacks(asked, at);
        if (lacks.isEmpty()) {
            votes.add(new Review(person, null, stage));
        }
        for (Candidate principal : principals.getOrDefault(person, List.of())) {
            if (!spent.contains(principal.id()) && principal.lacks(asked, at).isEmpty()) {
                votes.add(new Review(person, principal.id(), stage));
            }
        }
        if (votes.isEmpty()) {
            return new MayNot(Reason.LACKS_ROLE, lacks.orElseThrow());
        }
        for (Review vote : votes) {
            if (completes(given, spent, vote)) {
                return new May(vote.inPlaceOf());
            }
        }
        return completes(given, spent)
                ? new MayNot(Reason.NEEDED_LATER)
                : new May(votes.get(0).inPlaceOf());
    }

    private boolean completes(Collection<Review> given, Set<UUID> spent, Review vote) {
        var after = new ArrayList<>(given);
        after.add(vote);
        var gone = new HashSet<>(spent);
        vote.spent().forEach(gone::add);
        return completes(after, gone);
    }

    /**
     * Whether those who are left can fill the places that are left, in time. A vote in another's place fills none that the other, who
     * may approve as well, could not fill at less cost, so only own places count.
     */
    private boolean completes(Collection<Review> given, Set<UUID> spent) {
        List<Candidate> left = candidates.values().stream()
                .filter(candidate -> !spent.contains(candidate.id()))
                .toList();
        Moment last = at.last();
        var places = new ArrayList<int[]>();
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            int[] able = able(left, stage, last);
            int number = i;
            long open = stage.quorum()
                    - given.stream().filter(review -> review.stage() == number).count();
            if (open > able.length) {
                return false;
            }
            for (long place = 0; place < open; place++) {
                places.add(able);
            }
        }
        return Matching.fills(places, left.size());
    }

    private static int[] able(List<Candidate> left, Stage stage, Moment last) {
        return IntStream.range(0, left.size())
                .filter(i -> left.get(i).lacks(stage, last).isEmpty())
                .toArray();
    }

    @Override
    public String toString() {
        return "Panel[excluded=" + excluded + ", twoNeeded=" + twoNeeded + ", candidates=" + candidates.keySet() + "]";
    }
}
