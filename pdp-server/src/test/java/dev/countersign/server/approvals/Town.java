package dev.countersign.server.approvals;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.http.Reply;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.metrics.Metrics;
import dev.countersign.server.postgres.PostgresAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Two servers on one database and the people around them: agents that ask, their owner, and persons of several roles who
 * review what one of them, two of them, or one of each role have to approve.
 */
final class Town implements AutoCloseable {
    static final String EVALUATION = "/access/v1/evaluation";
    static final String REQUESTS = "/access/v1/requests";
    static final String APPROVALS = "/api/v1/approvals";
    static final String ADMIN = "admin";
    /** The service that asks, and another that would like to use what it is given. */
    static final String AGENT = "agent";

    static final String RIVAL = "rival";
    /** Answers for the agent `planner`, so that she never reviews. */
    static final String OWNER = "carol";

    static final String DEV = "dev";
    static final String LEGAL = "legal";

    /** The action that one person may approve alone in an emergency. */
    static final String ALONE = "alone";

    /** Everybody with a key that may approve, with the roles beside that. */
    static final Map<String, Set<String>> PEOPLE = Map.of(
            OWNER,
            Set.of(DEV, LEGAL),
            "dana",
            Set.of(DEV),
            "lee",
            Set.of(LEGAL),
            "max",
            Set.of(DEV, LEGAL),
            "ann",
            Set.of(),
            "bo",
            Set.of());

    /** A round of reviews: so many persons with this role, or with any if there is none. */
    record Round(int quorum, String role) {}

    /** What can be asked for, by action, and who has to approve it. */
    static final Map<String, List<Round>> ACTIONS = Map.of(
            "one",
            List.of(new Round(1, "")),
            "two",
            List.of(new Round(2, "")),
            "rounds",
            List.of(new Round(1, DEV), new Round(1, LEGAL)),
            ALONE,
            List.of(new Round(2, "")));

    private static final String MANIFEST = """
            name: town
            version: 1.0.0
            attributes:
              purpose: {type: text, from: context.purpose}
            approvals:
              one:
                stages: [{name: any, quorum: 1, roles: [approvals.approve]}]
                decide_within: 1h
                use_within: 15m
              two:
                stages: [{name: any, quorum: 2, roles: [approvals.approve]}]
                decide_within: 1h
                use_within: 15m
              rounds:
                stages:
                  - {name: dev, quorum: 1, roles: [approvals.approve, dev]}
                  - {name: legal, quorum: 1, roles: [approvals.approve, legal]}
                decide_within: 1h
                use_within: 15m
              alone:
                stages: [{name: any, quorum: 2, roles: [approvals.approve]}]
                decide_within: 1h
                use_within: 15m
                break_glass: true
            tests: {rules: 0, conditions: 0, needed: 0}
            """;

    private static final int CHECKED = 20;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final AtomicInteger sent = new AtomicInteger();
    private final Path pack = pack();
    private final List<RunningServer> servers;
    private final Rows rows;
    private final Sweeper sweeper;
    private final Map<String, String> secrets = new HashMap<>();
    private final Map<String, String> persons = new HashMap<>();

    Town(PostgresAddress owner) {
        rows = new Rows(owner);
        RunningServer first = RunningServer.start(owner, pack);
        servers = List.of(first, first.another(Map.of(), pack));
        // It makes no approvals, so it signs nothing.
        sweeper = new Sweeper(
                rows.pool(),
                new Transitions(
                        UUID::randomUUID, UUID::randomUUID, null, new ApprovalMeters(new Metrics(), Clock.systemUTC())),
                Clock.systemUTC());
        secrets.put(ADMIN, first.key(ADMIN));
        secrets.put(AGENT, first.key(AGENT));
        entity("agent/planner", "{\"owner\": \"" + OWNER + "\", \"attributes\": {}}");
        key("{\"name\": \"rival\", \"roles\": [\"decide\"]}", RIVAL);
        PEOPLE.forEach((name, roles) -> {
            entity("user/" + name, json().set("roles", texts(roles)).toString());
            key(
                    "{\"name\": \"%s\", \"roles\": [\"decide\", \"approvals.read\", \"approvals.approve\", \"approvals.break_glass\"],"
                            + " \"person\": \"%s\"}".formatted(name, name),
                    name);
            persons.put(
                    rows.all("select id::text from persons where name = $1", name)
                            .get(0)
                            .getString(0),
                    name);
        });
        RunningServer.until(
                "both servers know all keys",
                () -> secrets.keySet().stream()
                        .allMatch(who -> servers.stream()
                                .allMatch(server -> server.get(REQUESTS + "/none", secrets.get(who))
                                                .status()
                                        == 404)));
    }

    private static Path pack() {
        try {
            var rules = new StringBuilder("""
                    package town

                    rule "no purpose is good enough"
                    when
                      Request( purpose != null, purpose == "mischief" )
                    then
                      decision.deny("MISCHIEF");
                    end
                    """);
            ACTIONS.keySet().stream().sorted().forEach(action -> rules.append("""

                    rule "%1$s"
                    when
                      Request( action == "%1$s" )
                    then
                      decision.requireApproval("ASK", "%1$s");
                    end
                    """.formatted(action)));
            return RunningServer.pack(Files.createTempDirectory("countersign-town-"), MANIFEST, rules.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ObjectNode json() {
        return JsonNodeFactory.instance.objectNode();
    }

    private static JsonNode texts(Iterable<String> all) {
        var array = JsonNodeFactory.instance.arrayNode();
        all.forEach(array::add);
        return array;
    }

    private void entity(String path, String body) {
        var with = (ObjectNode) Reply.parse(body);
        with.putObject("attributes");
        Reply reply = server(0).put("/api/v1/entities/" + path, secret(ADMIN), with.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(201);
    }

    private void key(String body, String name) {
        Reply reply = server(0).post("/api/v1/keys", secret(ADMIN), body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(201);
        secrets.put(name, reply.json().path("secret").asText());
    }

    RunningServer server(int number) {
        return servers.get(number % servers.size());
    }

    Rows rows() {
        return rows;
    }

    String secret(String who) {
        return secrets.get(who);
    }

    /** The visible prefix of somebody's key. */
    String prefix(String who) {
        return secret(who).substring(0, secret(who).indexOf('_', secret(who).indexOf('_') + 1));
    }

    /** The name of the person of this id; empty if it is nobody's. */
    String name(String person) {
        return persons.getOrDefault(person, "");
    }

    int sweep() {
        return Rows.done(sweeper.sweep());
    }

    /** A call of the agent `planner` that has to be approved. */
    static ObjectNode call(String action, String resource) {
        ObjectNode call = json();
        call.putObject("subject").put("type", "agent").put("id", "planner");
        call.putObject("action").put("name", action);
        call.putObject("resource").put("type", "thing").put("id", resource);
        return call;
    }

    /** The call with an approval, and with what it will be reported by unless that is empty. */
    static ObjectNode with(ObjectNode call, String approval, String execution) {
        ObjectNode with = call.deepCopy();
        ObjectNode context = with.putObject("context");
        context.putObject("approval").put("id", approval);
        if (!execution.isEmpty()) {
            context.put("execution_id", execution);
        }
        return with;
    }

    Reply evaluate(int at, String who, JsonNode call) {
        return post(at, EVALUATION, who, call.toString());
    }

    Reply get(int at, String who, String path) {
        return send(at, server(at).request(path, secret(who)).GET());
    }

    private Reply post(int at, String path, String who, String body) {
        return send(
                at,
                server(at)
                        .request(path, secret(who))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /** Holding an answer to the OpenAPI document takes longer than the answer: some are held to it. */
    private Reply send(int at, HttpRequest.Builder request) {
        if (sent.incrementAndGet() % CHECKED == 0) {
            return server(at).send(request);
        }
        try {
            HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.headers(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** What submits a call that is denied for want of approval. */
    ObjectNode submission(int at, String who, ObjectNode call) {
        Reply denied = evaluate(at, who, call);
        assertThat(denied.status()).as(denied.body()).isEqualTo(200);
        JsonNode context = denied.json().path("context");
        assertThat(context.path("access_request").isObject()).as(denied.body()).isTrue();
        ObjectNode body = call.deepCopy();
        ObjectNode denial = body.putObject("denial");
        denial.set("evaluation_id", context.path("evaluation_id"));
        denial.set("expires_at", context.at("/access_request/expires_at"));
        denial.set("binding_token", context.at("/access_request/binding_token"));
        return body;
    }

    Reply submit(int at, String who, JsonNode submission, String key) {
        return send(
                at,
                server(at)
                        .request(REQUESTS, secret(who))
                        .headers("Content-Type", "application/json", "Idempotency-Key", key)
                        .POST(HttpRequest.BodyPublishers.ofString(submission.toString())));
    }

    Reply vote(int at, String who, String request, String verb) {
        return post(at, APPROVALS + "/" + request + "/" + verb, who, "{}");
    }

    /** Somebody does what this verb names with a request or its approval. */
    Reply act(int at, String who, String request, String verb, String body) {
        return post(at, APPROVALS + "/" + request + "/" + verb, who, body);
    }

    Reply cancel(int at, String who, String request) {
        return post(at, REQUESTS + "/" + request + "/cancel", who, "{}");
    }

    Reply report(int at, String who, String execution, String receipt) {
        return post(at, "/api/v1/executions/" + execution + "/receipt", who, receipt);
    }

    /** An approval of a call of the agent's that one person had to approve. */
    String approved(ObjectNode call, String key) {
        Reply task = submit(0, AGENT, submission(0, AGENT, call), key);
        assertThat(task.status()).as(task.body()).isEqualTo(202);
        String request = task.json().at("/task/id").asText();
        Reply approved = vote(1, "dana", request, "approve");
        assertThat(approved.status()).as(approved.body()).isEqualTo(200);
        return approved.json().at("/approval/id").asText();
    }

    /** The kinds of the events of a request, in their order. */
    List<String> events(String request) {
        var kinds = new ArrayList<String>();
        rows.all("select type from events where body::json->>'subject' = $1 order by number", request)
                .forEach(row -> kinds.add(row.getString(0).substring("approval.".length())));
        return kinds;
    }

    @Override
    public void close() throws IOException {
        rows.close();
        for (int i = servers.size() - 1; i >= 0; i--) {
            servers.get(i).close();
        }
        for (String file : List.of("pack.yaml", "rules.drl", "")) {
            Files.delete(pack.resolve(file));
        }
    }
}
