package dev.countersign.server.separation;

import static dev.countersign.server.separation.Registry.NOW;

import dev.countersign.rules.pack.ApprovalTemplate.Escalation;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** One generated tenant, what is asked in it, and an oracle of who could approve that. */
final class World {
    static final List<String> PEOPLE = List.of("Ann", "Ben", "Cat", "Dan", "Eva", "Fay");
    private static final List<String> NAMES = List.of("Ann", "Ben", "Cat", "Dan", "Eva", "Fay", "bot", "aide", "ghost");
    private static final List<String> GROUPS = List.of("red", "blue");
    private static final int LASTS = 3600;
    private static final List<String> ROLES = List.of("risk", "legal", "audit.read");

    /** A delegation as it was written. */
    private record Written(String from, String to, boolean revoked, boolean inForce) {}

    /** An entity as it was written. */
    private record Thing(String type, String id, String owner, Set<String> groups, Set<String> delegates) {}

    /** A person as it was made. */
    private record Human(UUID id, boolean approves, Set<String> roles) {}

    final Random random;
    private final Registry registry;
    private final String tenant;
    private final Map<String, Human> people = new LinkedHashMap<>();
    private final List<Thing> things = new ArrayList<>();
    private final List<Written> delegations = new ArrayList<>();
    final List<Stage> stages = new ArrayList<>();
    final Asking asking;
    /** How old the request is, in seconds; it is good for {@link #LASTS}. */
    private final int age;
    /** Whether it is about to expire. */
    private boolean late;
    /** For each person who hands the place on, to whom. */
    final Map<String, String> handed = new LinkedHashMap<>();

    final Set<String> side = new TreeSet<>();

    World(Registry registry, long seed) throws Exception {
        this.random = new Random(seed);
        this.registry = registry;
        this.tenant = "t" + seed;
        registry.tenant(tenant);
        for (String name : PEOPLE) {
            person(name);
        }
        var used = new HashSet<String>();
        for (int i = random.nextInt(10); i > 0; i--) {
            thing(used);
        }
        for (int i = random.nextInt(6); i > 0; i--) {
            delegate();
        }
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            stages.add(new Stage("s" + i, 1 + random.nextInt(2), some(ROLES, 3), escalation()));
        }
        asking = new Asking(
                tenant,
                one(List.of("agent", "agent", "user", "document")),
                one(List.of("bot", "aide", "Ann", "group:red")),
                "refund",
                random.nextInt(3) == 0 ? null : people.get(one(PEOPLE)).id(),
                some(NAMES, 16).stream().map(this::spelled).toList(),
                random.nextInt(5) == 0 ? Set.of(people.get("Fay").id()) : Set.of());
        age = one(List.of(0, 599, 600, 1800));
        tell();
        for (int i = random.nextInt(8) - 5; i > 0; i--) {
            hand(one(PEOPLE), one(PEOPLE));
        }
        tie();
    }

    /** Places that were handed on before one of the two was on anybody's side. */
    private void hand(String from, String to) {
        if (!from.equals(to) && !handed.containsKey(from) && !handed.containsKey(to)) {
            handed.put(from, to);
        }
    }

    Map<UUID, UUID> handed() {
        var ids = new HashMap<UUID, UUID>();
        handed.forEach((from, to) -> ids.put(id(from), id(to)));
        return ids;
    }

    Moment moment() {
        return new Moment(NOW.minusSeconds(age), NOW.minusSeconds(age).plusSeconds(LASTS), NOW);
    }

    private Escalation escalation() {
        return random.nextBoolean()
                ? null
                : new Escalation(Duration.ofSeconds(one(List.of(600, 1800, LASTS - 1, LASTS))), some(ROLES, 2));
    }

    <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private <T> List<T> some(List<T> of, int oneIn) {
        return of.stream().filter(each -> random.nextInt(oneIn) == 0).toList();
    }

    private String spelled(String name) {
        return switch (random.nextInt(4)) {
            case 0 -> name.toUpperCase(Locale.ROOT);
            case 1 -> " " + name;
            default -> name;
        };
    }

    private void person(String name) throws Exception {
        UUID id = registry.person(tenant, name);
        boolean approves = random.nextInt(6) > 0;
        var roles = new HashSet<String>();
        if (approves) {
            registry.key(tenant, id, null, null, "approvals.approve");
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            boolean ended = random.nextBoolean();
            registry.key(tenant, id, ended ? NOW : null, null, "approvals.approve", "audit.read");
            if (!ended) {
                approves = true;
                roles.add("audit.read");
            }
        }
        people.put(name, new Human(id, approves, roles));
    }

    private void thing(Set<String> used) throws Exception {
        String type = one(List.of("user", "user", "agent", "document"));
        String name = one(NAMES);
        if (!used.add(type + name)) {
            return;
        }
        String id = name.equals("bot") || name.equals("aide") ? name : one(List.of(name, name, spelled(name)));
        String owner = switch (random.nextInt(4)) {
            case 0 -> spelled(one(NAMES));
            case 1 -> "group:" + one(GROUPS);
            default -> null;
        };
        List<String> roles = some(ROLES, 2);
        List<String> groups = some(GROUPS, 3);
        List<String> delegates = some(NAMES, 14).stream().map(this::spelled).toList();
        registry.entity(tenant, type, id, owner, roles, groups, delegates);
        things.add(new Thing(type, id, owner, Set.copyOf(groups), Set.copyOf(delegates)));
        Human human = people.get(id);
        if (type.equals("user") && human != null) {
            roles.stream().filter(role -> !role.equals("audit.read")).forEach(human.roles()::add);
        }
    }

    private void delegate() throws Exception {
        String from = one(PEOPLE);
        String to = one(PEOPLE);
        if (from.equals(to)) {
            return;
        }
        boolean begun = random.nextInt(5) > 0;
        String scope = one(Arrays.asList("re*", "pay", null, null));
        boolean revoked = random.nextInt(6) == 0;
        var begin = begun ? NOW : NOW.plusSeconds(1);
        Delegation made = registry.delegation(
                tenant, people.get(from).id(), people.get(to).id(), begin, NOW.plus(Duration.ofDays(1)), scope);
        if (revoked) {
            registry.execute(
                    "update delegations set revoked_at = created_at, revoked_by = 'x' where id = $1", made.id());
        }
        delegations.add(new Written(from, to, revoked, begun && !revoked && !"pay".equals(scope)));
    }

    // The oracle: paths in matrices over plain names.

    private static String plain(String spelled) {
        return spelled.strip().toLowerCase(Locale.ROOT);
    }

    private boolean counts(Thing thing) {
        return thing.type().equals("user") || thing.type().equals(asking.subjectType());
    }

    private List<String> single(String text) {
        return text.startsWith("group:")
                ? things.stream()
                        .filter(thing ->
                                thing.type().equals("user") && thing.groups().contains(text.substring(6)))
                        .map(thing -> plain(thing.id()))
                        .toList()
                : List.of(plain(text));
    }

    private int index(String plain) {
        for (int i = 0; i < NAMES.size(); i++) {
            if (plain(NAMES.get(i)).equals(plain)) {
                return i;
            }
        }
        throw new AssertionError(plain);
    }

    private boolean[][] paths(List<String[]> edges) {
        int n = NAMES.size();
        var path = new boolean[n][n];
        for (int i = 0; i < n; i++) {
            path[i][i] = true;
        }
        edges.forEach(edge -> path[index(edge[0])][index(edge[1])] = true);
        for (int k = 0; k < n; k++) {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    path[i][j] |= path[i][k] && path[k][j];
                }
            }
        }
        return path;
    }

    /** Fills {@code side} with the names of the requester's side. */
    private void tell() {
        var owns = new ArrayList<String[]>();
        var mayAct = new ArrayList<String[]>();
        for (Thing thing : things) {
            if (counts(thing)) {
                if (thing.owner() != null) {
                    single(thing.owner()).forEach(owner -> owns.add(new String[] {plain(thing.id()), owner}));
                }
                thing.delegates().forEach(to -> mayAct.add(new String[] {plain(thing.id()), plain(to)}));
            }
        }
        for (Written delegation : delegations) {
            if (!delegation.revoked()) {
                mayAct.add(new String[] {plain(delegation.from()), plain(delegation.to())});
            }
        }
        boolean[][] owned = paths(owns);
        boolean[][] acted = paths(mayAct);
        var asks = new HashSet<String>(single(asking.subjectId()));
        asking.claimed().forEach(claim -> asks.add(plain(claim)));
        people.forEach((name, human) -> {
            if (human.id().equals(asking.submitter())) {
                asks.add(plain(name));
            }
        });
        for (String ask : asks) {
            for (int owner = 0; owner < NAMES.size(); owner++) {
                for (int other = 0; owned[index(ask)][owner] && other < NAMES.size(); other++) {
                    if (acted[owner][other] || acted[other][owner]) {
                        side.add(NAMES.get(other));
                    }
                }
            }
        }
        people.forEach((name, human) -> {
            if (asking.excludedBefore().contains(human.id())) {
                side.add(name);
            }
        });
    }

    /** Who has a place from the requester's side is on it, and so is whose place went to it. */
    private void tie() {
        boolean[][] path = paths(handed.entrySet().stream()
                .map(each -> new String[] {plain(each.getKey()), plain(each.getValue())})
                .toList());
        for (String one : Set.copyOf(side)) {
            for (int i = 0; i < NAMES.size(); i++) {
                if (path[index(plain(one))][i] || path[i][index(plain(one))]) {
                    side.add(NAMES.get(i));
                }
            }
        }
    }

    private String holder(String name) {
        String holder = name;
        while (handed.containsKey(holder)) {
            holder = handed.get(holder);
        }
        return holder;
    }

    boolean free(String name) {
        return people.get(name).approves() && !side.contains(name);
    }

    boolean fills(String name, Stage stage, boolean last) {
        Set<String> held = people.get(name).roles();
        long seconds =
                stage.escalate() == null ? LASTS : stage.escalate().after().toSeconds();
        boolean opened = seconds < LASTS && (last || late || seconds <= age);
        return held.containsAll(stage.roles())
                || opened && held.containsAll(stage.escalate().to());
    }

    /**
     * In whose places the person may vote in the stage at all, own or another's, when those are spent.
     *
     * @param last whether before the request expires, rather than now
     */
    Set<String> places(String name, Stage stage, Set<String> spent, boolean last) {
        var places = new TreeSet<String>();
        if (free(name) && !handed.containsKey(name) && !spent.contains(name)) {
            for (String whose : PEOPLE) {
                boolean stands = holder(whose).equals(name);
                for (Written delegation : delegations) {
                    stands |= delegation.inForce()
                            && delegation.to().equals(name)
                            && delegation.from().equals(whose)
                            && !handed.containsKey(whose);
                }
                if (stands && free(whose) && !spent.contains(whose) && fills(whose, stage, last)) {
                    places.add(whose);
                }
            }
        }
        return places;
    }

    String name(UUID id) {
        return people.entrySet().stream()
                .filter(person -> person.getValue().id().equals(id))
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    UUID id(String name) {
        return people.get(name).id();
    }

    boolean approves(String name) {
        return people.get(name).approves();
    }

    /** Whether the person has the roles of the stage, escalated or not. */
    boolean holds(String name, Stage stage) {
        return people.get(name).roles().containsAll(stage.roles());
    }

    boolean late() {
        return late;
    }

    /** From here on the request is about to expire. */
    void age() {
        late = true;
    }
}
