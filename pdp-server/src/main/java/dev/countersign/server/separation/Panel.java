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
import org.jspecify.annotations.Nullable;

/**
 * Who may review one access request, as persons, keys, entities and delegations stood at one moment. Immutable.
 *
 * <p>One person fills one place in all stages together. Whoever votes in another's place fills one place too, and spends
 * the votes of both. Whoever has handed a place on fills none.
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
    /** The requester's side but for those that places on this request tie to it. */
    private final Set<UUID> side;

    private final Set<UUID> excluded;
    private final boolean twoNeeded;
    /** By name; none of them is excluded. */
    private final Map<UUID, Candidate> candidates;

    private final Collection<Substitution> substitutions;
    /** To whom persons have handed their places on this request. */
    private final Map<UUID, UUID> handed;
    /** By who may vote, then by the name of whose place it is; both are candidates, and have not handed on their own. */
    private final Map<UUID, List<Candidate>> principals;
    /** The places that were handed on, by who holds them now, then by the name of whose they were; all are candidates. */
    private final Map<UUID, List<Candidate>> held;

    /**
     * A panel.
     *
     * @param at the moment of all this
     * @param side the persons of the requester's side
     * @param candidates all persons with a good key that may approve
     * @param substitutions those in force
     */
    Panel(
            List<Stage> stages,
            Moment at,
            Set<UUID> side,
            boolean twoNeeded,
            Collection<Candidate> candidates,
            Collection<Substitution> substitutions) {
        this(stages, at, side, twoNeeded, candidates, substitutions, Map.of());
    }

    private Panel(
            List<Stage> stages,
            Moment at,
            Set<UUID> side,
            boolean twoNeeded,
            Collection<Candidate> candidates,
            Collection<Substitution> substitutions,
            Map<UUID, UUID> handed) {
        this.stages = List.copyOf(stages);
        this.at = at;
        this.side = Set.copyOf(side);
        this.excluded = Handed.reach(side, handed);
        this.twoNeeded = twoNeeded;
        this.substitutions = List.copyOf(substitutions);
        this.handed = Map.copyOf(handed);
        var free = new LinkedHashMap<UUID, Candidate>();
        candidates.stream()
                .filter(candidate -> !this.excluded.contains(candidate.id()))
                .sorted(Comparator.comparing(Candidate::name).thenComparing(Candidate::id))
                .forEach(candidate -> free.put(candidate.id(), candidate));
        this.candidates = Collections.unmodifiableMap(free);
        this.principals = new HashMap<>();
        this.held = new HashMap<>();
        for (Candidate from : free.values()) {
            if (handed.containsKey(from.id())) {
                UUID holder = Handed.holder(from.id(), handed);
                if (free.containsKey(holder)) {
                    held.computeIfAbsent(holder, none -> new ArrayList<>()).add(from);
                }
                continue;
            }
            substitutions.stream()
                    .filter(substitution -> substitution.from().equals(from.id()))
                    .map(Substitution::to)
                    .filter(to -> free.containsKey(to) && !to.equals(from.id()))
                    .distinct()
                    .forEach(to -> principals
                            .computeIfAbsent(to, none -> new ArrayList<>())
                            .add(from));
        }
    }

    private Panel(Panel of, List<Stage> stages, Moment at) {
        this.stages = List.copyOf(stages);
        this.at = at;
        this.side = of.side;
        this.excluded = of.excluded;
        this.twoNeeded = of.twoNeeded;
        this.candidates = of.candidates;
        this.substitutions = of.substitutions;
        this.handed = of.handed;
        this.principals = of.principals;
        this.held = of.held;
    }

    /**
     * The same with places handed on: whoever hands on reviews no more, and the holder reviews in that place too. Handing on
     * ties persons to each other as delegations do: if one is on the requester's side, so is the other.
     *
     * @param places for each person who hands on, to whom
     */
    public Panel handing(Map<UUID, UUID> places) {
        var all = new HashMap<>(handed);
        all.putAll(places);
        return new Panel(stages, at, side, twoNeeded, candidates.values(), substitutions, all);
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
            return nobody(person);
        }
        Set<UUID> spent = spent(given);
        Reason gone = gone(person, spent);
        if (gone != null) {
            return new MayNot(gone);
        }
        var votes = new ArrayList<Review>();
        Optional<String> lacks = candidate.lacks(asked, at);
        if (lacks.isEmpty()) {
            votes.add(new Review(person, null, stage));
        }
        for (Candidate principal : inPlaceOf(person)) {
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

    /**
     * Whether a person has a place to hand on: the own, or one that the person was handed. A place by delegation is not the
     * delegate's to hand on.
     *
     * @param stage the stage at hand, from 0: a place in it or a later one
     * @param given the votes that were given in all stages
     */
    public Ruling hands(int stage, UUID person, Collection<Review> given) {
        Ruling takes = takes(person, given);
        Candidate candidate = candidates.get(person);
        if (takes instanceof MayNot || candidate == null) {
            return takes;
        }
        boolean has = stages.subList(stage, stages.size()).stream().anyMatch(each -> fills(candidate, each, at.last()));
        return has
                ? new May(null)
                : new MayNot(
                        Reason.LACKS_ROLE,
                        candidate.lacks(stages.get(stage), at).orElse(null));
    }

    /**
     * Whether a person can be handed another's place, with or without the roles of a stage.
     *
     * @param given the votes that were given in all stages
     */
    public Ruling takes(UUID person, Collection<Review> given) {
        if (!candidates.containsKey(person)) {
            return nobody(person);
        }
        Reason gone = gone(person, spent(given));
        return gone == null ? new May(null) : new MayNot(gone);
    }

    /**
     * Whether those who are left can fill the places that are left before the request expires.
     *
     * @param given the votes that were given in all stages
     */
    public boolean completes(Collection<Review> given) {
        return completes(given, spent(given));
    }

    private MayNot nobody(UUID person) {
        return new MayNot(excluded.contains(person) ? Reason.REQUESTERS_SIDE : Reason.NOT_A_REVIEWER);
    }

    /** Why a candidate has no vote left; {@code null} for one who has. */
    private @Nullable Reason gone(UUID person, Set<UUID> spent) {
        if (handed.containsKey(person)) {
            return Reason.HANDED_ON;
        }
        return spent.contains(person) ? Reason.VOTED_ALREADY : null;
    }

    private static Set<UUID> spent(Collection<Review> given) {
        return given.stream().flatMap(Review::spent).collect(Collectors.toSet());
    }

    private List<Candidate> inPlaceOf(UUID person) {
        var all = new ArrayList<>(held.getOrDefault(person, List.of()));
        all.addAll(principals.getOrDefault(person, List.of()));
        return all;
    }

    /** Whether a person fills a stage in the own place or one that the person was handed. */
    private boolean fills(Candidate candidate, Stage stage, Moment then) {
        return candidate.lacks(stage, then).isEmpty()
                || held.getOrDefault(candidate.id(), List.of()).stream()
                        .anyMatch(from -> from.lacks(stage, then).isEmpty());
    }

    private boolean completes(Collection<Review> given, Set<UUID> spent, Review vote) {
        var after = new ArrayList<>(given);
        after.add(vote);
        var gone = new HashSet<>(spent);
        vote.spent().forEach(gone::add);
        return completes(after, gone);
    }

    /**
     * Whether those who are left can fill the places that are left, in time. A vote by delegation fills no place that
     * the other, who may approve as well, could not fill at less cost, so only own places count, and those that were handed on.
     */
    private boolean completes(Collection<Review> given, Set<UUID> spent) {
        List<Candidate> left = candidates.values().stream()
                .filter(candidate -> gone(candidate.id(), spent) == null)
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

    private int[] able(List<Candidate> left, Stage stage, Moment last) {
        return IntStream.range(0, left.size())
                .filter(i -> fills(left.get(i), stage, last))
                .toArray();
    }

    @Override
    public String toString() {
        return "Panel[excluded=" + excluded + ", twoNeeded=" + twoNeeded + ", candidates=" + candidates.keySet() + "]";
    }
}
