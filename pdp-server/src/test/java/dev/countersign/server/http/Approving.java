package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.Sql;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.stream.Stream;

/** A server whose agent `planner` has the owner carol, and what tests of approvals do with it again and again. */
record Approving(RunningServer server, PostgresAddress database) {
    private static final String PROFILE = "urn:openid:authzen:access-request:error:";

    /** The server on an empty database, with the pack `base` and these. */
    static Approving start(PostgresAddress database, Path... more) {
        Path[] packs = Stream.concat(Stream.of(RunningServer.checkout("rules/packs/base")), Stream.of(more))
                .toArray(Path[]::new);
        var started = new Approving(RunningServer.start(database, packs), database);
        started.entity("agent/planner", "{\"owner\": \"carol\"}");
        return started;
    }

    String agent() {
        return server.key("agent");
    }

    void entity(String path, String body) {
        Reply reply = server.put("/api/v1/entities/" + path, server.key("admin"), body);
        assertThat(reply.status()).as(reply.body()).isIn(200, 201);
    }

    /** The secret of a new key of a person. */
    String person(String name, String person, String... roles) {
        String all = String.join("\", \"", roles);
        String body = "{\"name\": \"%s\", \"person\": \"%s\", \"roles\": [\"%s\"]}".formatted(name, person, all);
        return made(body);
    }

    /** The secret of a new key of a service. */
    String service(String name) {
        return made("{\"name\": \"%s\", \"roles\": [\"decide\"]}".formatted(name));
    }

    private String made(String body) {
        return Managing.made(server.post(Managing.KEYS, server.key("admin"), body))
                .path("secret")
                .asText();
    }

    /** Has one person review in another's place for a day. */
    void delegate(String from, String to) throws SQLException {
        Sql.execute(database, """
                insert into delegations (tenant, id, from_person, to_person, valid_from, valid_until, created_at, created_by)
                select 'demo', gen_random_uuid(), f.id, t.id, now() - interval '1 hour', now() + interval '1 day', now(), 'test'
                from persons f, persons t
                where f.tenant = 'demo' and t.tenant = 'demo' and f.name = '%s' and t.name = '%s'""".formatted(from, to));
    }

    /** The submission of a call that is denied now. */
    ObjectNode submission(JsonNode call) {
        return Asks.submission(call, Asks.denied(server, agent(), call));
    }

    /** The same, bound by the id of the evaluation alone. */
    ObjectNode byId(JsonNode call) {
        ObjectNode body = submission(call);
        ((ObjectNode) body.path("denial")).remove("binding_token");
        return body;
    }

    Reply submit(JsonNode body, String... headers) {
        return Asks.submit(server, agent(), body, headers);
    }

    /** The id of the access request that a denied call became. */
    String requested(JsonNode call) {
        return Asks.requested(server, agent(), call);
    }

    Reply task(String id) {
        return server.get(Asks.REQUESTS + "/" + id, agent());
    }

    Reply cancel(String key, String id) {
        return server.post(Asks.REQUESTS + "/" + id + "/cancel", key, "{}");
    }

    Reply approve(String person, String id) {
        return Asks.approve(server, server.key(person), id);
    }

    /** The request as a reviewer sees it. */
    JsonNode seen(String id) {
        Reply reply = server.get(Asks.APPROVALS + "/" + id, server.key("bob"));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    /** The approval of a call that alice has approved. */
    JsonNode approved(JsonNode call) {
        String id = requested(call);
        Reply reply = approve("alice", id);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return Asks.approval(server, agent(), id);
    }

    /** The answer to a call. */
    JsonNode ask(JsonNode call) {
        return ask(server, agent(), call);
    }

    static JsonNode ask(RunningServer at, String key, JsonNode call) {
        Reply reply = at.post(Asks.EVALUATION, key, call.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    /** Runs SQL as the owner of the tables, so that time passes or something happens that no path does. */
    void sql(String statement) throws SQLException {
        Sql.execute(database, statement);
    }

    /** Moves by how long a denial can be asked for, in its record, from now on in seconds. */
    void denialEnds(String evaluation, int seconds) throws SQLException {
        server.record(evaluation, server.key("admin"));
        sql("""
                update decisions set entry = regexp_replace(entry, '("requestable":\\{"expires_at":")[^"]*',
                  '\\1' || to_char((now() + interval '%d seconds') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                where id = '%s'""".formatted(seconds, evaluation));
    }

    /** A call that was not let run, and why and what next. */
    static void refused(JsonNode answer, String reason, String next) {
        assertThat(Reply.decision(answer)).as(answer.toString()).isFalse();
        assertThat(answer.at("/context/reason").asText()).isEqualTo(reason);
        assertThat(answer.at("/context/next_action").asText()).isEqualTo(next);
        assertThat(answer.at("/context/access_request").isObject())
                .as(answer.toString())
                .isEqualTo(next.equals("request"));
    }

    /** An answer that is a problem of the profile. */
    static void problem(Reply reply, int status, String error) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.header("Content-Type")).startsWith("application/problem+json");
        assertThat(reply.json().path("type").asText()).isEqualTo(PROFILE + error);
        assertThat(reply.json().path("status").asInt()).isEqualTo(status);
    }

    /** A vote that did not count. */
    static void ineligible(Reply reply, String reason) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(403);
        assertThat(reply.json().path("reason").asText()).isEqualTo(reason);
    }

    /** The names of an object's members. */
    static Stream<String> names(JsonNode object) {
        return object.properties().stream().map(java.util.Map.Entry::getKey);
    }
}
