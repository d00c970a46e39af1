package dev.countersign.server.separation;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.separation.Ruling.MayNot;
import dev.countersign.server.separation.Ruling.Reason;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** A tenant of each test's own, in which persons are made and tied to each other. */
@ExtendWith(PostgresExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class Acme {
    static final Duration DAY = Duration.ofDays(1);
    static final List<Stage> ONE = List.of(new Stage("only", 1, List.of()));

    private final Map<String, UUID> persons = new HashMap<>();
    Registry registry;
    String acme;

    @BeforeAll
    void connect(PostgresAddress database) {
        registry = new Registry(database);
    }

    @BeforeEach
    void begin() throws Exception {
        persons.clear();
        acme = "acme" + registry.id();
        registry.tenant(acme);
    }

    @AfterAll
    void disconnect() throws Exception {
        registry.close();
    }

    /** A person with one good key that may approve. */
    UUID reviewer(String name) throws Exception {
        UUID id = person(name);
        registry.key(acme, id, null, null, "approvals.approve");
        return id;
    }

    UUID person(String name) throws Exception {
        UUID id = registry.person(acme, name);
        persons.put(name, id);
        return id;
    }

    void roles(String id, List<String> roles) throws Exception {
        registry.entity(acme, "user", id, null, roles, List.of(), List.of());
    }

    void owned(String type, String id, String owner) throws Exception {
        registry.entity(acme, type, id, owner, List.of(), List.of(), List.of());
    }

    void delegates(String type, String id, String... delegates) throws Exception {
        registry.entity(acme, type, id, null, List.of(), List.of(), List.of(delegates));
    }

    void member(String id, String group) throws Exception {
        registry.entity(acme, "user", id, null, List.of(), List.of(group), List.of());
    }

    Asking agent(String id, UUID submitter, String... claimed) {
        return new Asking(acme, "agent", id, "refund", submitter, List.of(claimed), Set.of());
    }

    Asking user(String id, UUID submitter) {
        return new Asking(acme, "user", id, "refund", submitter, List.of(), Set.of());
    }

    Set<String> excluded(Asking asking) throws Exception {
        Set<UUID> excluded = registry.panel(asking, ONE).excluded();
        return Set.copyOf(persons.entrySet().stream()
                .filter(person -> excluded.contains(person.getValue()))
                .map(Map.Entry::getKey)
                .toList());
    }

    static Ruling no(Reason reason) {
        return new MayNot(reason);
    }

    static Ruling lacks(String role) {
        return new MayNot(Reason.LACKS_ROLE, role);
    }
}
