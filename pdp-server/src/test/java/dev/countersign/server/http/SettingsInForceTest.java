package dev.countersign.server.http;

import static dev.countersign.server.http.SettingsApiTest.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What a tenant set is what judges it: at once on the server that was told, soon on all others, and for nobody else. */
@ExtendWith(PostgresExtension.class)
class SettingsInForceTest {
    private static final String THRESHOLD = SETTINGS + "/approvals.threshold";
    private static final String DENYLIST = SETTINGS + "/approvals.denylist";
    private static final Path BASE = RunningServer.checkout("rules/packs/base");

    private static String call(String action, double confidence) {
        return "{\"subject\": {\"type\": \"agent\", \"id\": \"a\"}, \"action\": {\"name\": \"" + action
                + "\"}, \"resource\": {\"type\": \"document\", \"id\": \"d\"}, \"context\": {\"confidence\": "
                + confidence + "}}";
    }

    private static Reply ask(RunningServer server, String secret, String body) {
        Reply reply = server.post("/access/v1/evaluation", secret, body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply;
    }

    private static String outcome(RunningServer server, String secret, String body) {
        return ask(server, secret, body).json().at("/context/outcome").asText();
    }

    private static String outcome(RunningServer server, String action, double confidence) {
        return outcome(server, server.key("agent"), call(action, confidence));
    }

    private static Reply put(RunningServer server, String path, String value) {
        Reply reply = server.agreedPut(path, server.key("admin"), "{\"value\": " + value + "}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply;
    }

    private static JsonNode record(RunningServer server, String id, String rest) {
        JsonNode record = server.record(id, server.key("admin"));
        return rest.isEmpty()
                ? record
                : server.get("/api/v1/decisions/" + id + rest, server.key("admin"))
                        .json();
    }

    private static List<String> column(PostgresAddress owner, String sql) throws SQLException {
        try (var connection = DriverManager.getConnection(owner.jdbcUrl(), owner.jdbcProperties());
                var rows = connection.createStatement().executeQuery(sql)) {
            var out = new ArrayList<String>();
            while (rows.next()) {
                out.add(rows.getString(1));
            }
            return out;
        }
    }

    @Test
    void whatOneServerIsToldItObeysAtOnceAndTheOtherSoon(@AsOwner PostgresAddress database) throws IOException {
        try (var one = RunningServer.start(database, BASE);
                var two = one.another(Map.of(), BASE)) {
            for (int round = 0; round < 10; round++) {
                double threshold = round % 2 == 0 ? 0.99 : 0.5;
                String expected = round % 2 == 0 ? "require_approval" : "allow";
                put(one, THRESHOLD, Double.toString(threshold));
                assertThat(outcome(one, "read", 0.9)).isEqualTo(expected);
                RunningServer.until(
                        "the other server obeys",
                        () -> outcome(two, "read", 0.9).equals(expected));
                assertThat(two.get(THRESHOLD, two.key("admin")).header("ETag"))
                        .isEqualTo(one.get(THRESHOLD, one.key("admin")).header("ETag"));
            }
            two.agreedDelete(THRESHOLD, two.key("admin"));
            assertThat(outcome(two, "read", 0.84)).isEqualTo("require_approval");
            RunningServer.until(
                    "it is forgotten everywhere",
                    () -> outcome(one, "read", 0.84).equals("require_approval"));
        }
    }

    @Test
    void aChangeIsSeenEvenWhereNoNotificationComes(@AsOwner PostgresAddress database) throws IOException, SQLException {
        try (var server = RunningServer.start(database, BASE)) {
            assertThat(outcome(server, "read", 0.9)).isEqualTo("allow");
            // Whoever writes without the trigger's notification is found by the revision alone.
            Sql.execute(
                    database,
                    "alter table settings disable trigger all; insert into settings values"
                            + " ('demo', 'approvals.denylist', '[\"read\"]', 1, now(), 'nobody')");
            Sql.countChange(database, "demo");
            RunningServer.until(
                    "the denylist is obeyed", () -> outcome(server, "read", 0.9).equals("deny"));
            Sql.execute(database, "delete from settings");
            Sql.countChange(database, "demo");
            RunningServer.until(
                    "the denylist is gone", () -> outcome(server, "read", 0.9).equals("allow"));
        }
    }

    @Test
    void everyDecisionIsByTheOldValuesOrTheNewNeverByBoth(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var server = RunningServer.start(database, BASE)) {
            put(server, DENYLIST, "[\"read\"]");
            var changing = new AtomicBoolean(true);
            var asked = new AtomicInteger();
            var began = new CountDownLatch(4);
            var clients = new ArrayList<CompletableFuture<Void>>();
            for (int i = 0; i < 4; i++) {
                clients.add(CompletableFuture.runAsync(() -> {
                    began.countDown();
                    while (changing.get()) {
                        outcome(server, "read", 0.9);
                        asked.incrementAndGet();
                    }
                }));
            }
            try {
                began.await();
                for (int round = 0; round < 40; round++) {
                    put(server, DENYLIST, round % 2 == 0 ? "[\"other\"]" : "[\"read\"]");
                    int seen = asked.get();
                    RunningServer.until("somebody asks in between", () -> asked.get() > seen + 4);
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                changing.set(false);
            }
            clients.forEach(CompletableFuture::join);
            RunningServer.until("all decisions are in the table", () -> {
                try {
                    return column(database, "select count(*)::text from decisions")
                            .equals(List.of(Integer.toString(asked.get())));
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            var pairs = new TreeSet<>(
                    column(
                            database,
                            "select (entry::jsonb #>> '{values,base/approvals.denylist,0}') || ' ' || decision from decisions"));
            assertThat(pairs).containsExactly("other allow", "read deny");
        }
    }

    @Test
    void writersAtOnceFollowOneAnotherAndAllOfThemAreInTheHistory(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var one = RunningServer.start(database, BASE);
                var two = one.another(Map.of(), BASE)) {
            String tag = put(one, THRESHOLD, "0.5").header("ETag");
            var won = new AtomicInteger();
            var writers = new ArrayList<CompletableFuture<Void>>();
            for (int i = 0; i < 8; i++) {
                RunningServer server = i % 2 == 0 ? one : two;
                String value = "{\"value\": 0.6" + i + "}";
                writers.add(CompletableFuture.runAsync(() -> {
                    Reply reply = server.agreedPut(THRESHOLD, server.key("admin"), value, "If-Match", tag);
                    assertThat(reply.status()).isIn(200, 412);
                    won.addAndGet(reply.status() == 200 ? 1 : 0);
                    assertThat(server.agreedPut(DENYLIST, server.key("admin"), "{\"value\": []}")
                                    .status())
                            .isEqualTo(200);
                }));
            }
            writers.forEach(CompletableFuture::join);
            assertThat(won).hasValue(1);
            assertThat(column(
                            database,
                            "select version::text from settings_history where name = 'approvals.denylist'"
                                    + " order by version"))
                    .containsExactly("1", "2", "3", "4", "5", "6", "7", "8");
        }
    }

    @Test
    void aChangeThatIsHeldUpIsGivenUpAndNothingIsChanged(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var server = RunningServer.start(database, BASE)) {
            put(server, THRESHOLD, "0.5");
            try (var connection = DriverManager.getConnection(database.jdbcUrl(), database.jdbcProperties());
                    var statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                statement.execute("lock table settings in share mode");
                Reply refused = server.agreedPut(THRESHOLD, server.key("admin"), "{\"value\": 0.99}");
                assertThat(refused.status()).isEqualTo(503);
                assertThat(outcome(server, "read", 0.9)).isEqualTo("allow");
                connection.rollback();
            }
            assertThat(column(database, "select new_value from settings_history"))
                    .containsExactly("0.5");
            put(server, THRESHOLD, "0.99");
            assertThat(outcome(server, "read", 0.9)).isEqualTo("require_approval");
        }
    }

    @Test
    void theHistorySaysWhoChangedWhatFromWhatToWhat(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var server = RunningServer.start(database, BASE)) {
            put(server, THRESHOLD, "0.5");
            server.agreedPut(THRESHOLD, server.key("author"), "{\"value\": 0.6}");
            server.agreedDelete(THRESHOLD, server.key("admin"));
            server.agreedDelete(THRESHOLD, server.key("admin"));
            String admin = server.key("admin").substring(0, 12);
            String author = server.key("author").substring(0, 12);
            assertThat(column(
                            database,
                            "select concat_ws(' ', tenant, name, version, coalesce(old_value, '-'),"
                                    + " coalesce(new_value, '-'), changed_by) from settings_history order by version"))
                    .containsExactly(
                            "demo approvals.threshold 1 - 0.5 " + admin,
                            "demo approvals.threshold 2 0.5 0.6 " + author,
                            "demo approvals.threshold 3 0.6 - " + admin);
        }
    }

    @Test
    void aTenantNeitherSeesNorChangesWhatAnotherSet(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var server = RunningServer.start(database, BASE)) {
            String other = server.addKey("other", "all", "decide", "admin", "audit.read")
                    .secret();
            put(server, DENYLIST, "[\"secret.plan\"]");
            assertThat(server.get(SETTINGS, other).body()).doesNotContain("secret.plan");
            assertThat(server.get(DENYLIST, other).header("ETag")).isEqualTo("\"0\"");
            assertThat(outcome(server, "secret.plan", 0.9)).isEqualTo("deny");
            assertThat(outcome(server, other, call("secret.plan", 0.9))).isEqualTo("allow");
            server.agreedDelete(DENYLIST, other);
            assertThat(server.agreedPut(DENYLIST, other, "{\"value\": [\"read\"]}")
                            .header("ETag"))
                    .isEqualTo("\"1\"");
            assertThat(outcome(server, "secret.plan", 0.9)).isEqualTo("deny");
            assertThat(outcome(server, "read", 0.9)).isEqualTo("allow");
            assertThat(column(database, "select tenant || ' ' || value from settings order by tenant"))
                    .containsExactly("demo [\"secret.plan\"]", "other [\"read\"]");
        }
    }

    @Test
    void anEntryThatHoldsACommaIsOneEntry(@AsOwner PostgresAddress database) throws IOException {
        try (var server = RunningServer.start(database, BASE)) {
            put(server, DENYLIST, "[\"a,b\"]");
            assertThat(outcome(server, "a,b", 0.9)).isEqualTo("deny");
            assertThat(outcome(server, "a", 0.9)).isEqualTo("allow");
            assertThat(outcome(server, "b", 0.9)).isEqualTo("allow");
        }
    }

    @Test
    void theRecordOfADecisionAndItsExplanationNameTheTenantsValues(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var server = RunningServer.start(database, BASE)) {
            put(server, THRESHOLD, "0.95");
            put(server, DENYLIST, "[\"x,y\"]");
            String id = ask(server, server.key("agent"), call("read", 0.9))
                    .json()
                    .at("/context/evaluation_id")
                    .asText();
            JsonNode values = record(server, id, "").path("values");
            assertThat(values.path("base/approvals.threshold").asText()).isEqualTo("0.95");
            assertThat(values.path("base/approvals.denylist").toString()).isEqualTo("[\"x,y\"]");
            JsonNode explained = record(server, id, "/explain");
            assertThat(explained.path("same_rules").asBoolean()).isTrue();
            assertThat(explained.path("explanation").toString()).contains("0.95");
            put(server, THRESHOLD, "0.94");
            assertThat(record(server, id, "/explain").path("same_rules").asBoolean())
                    .isFalse();
        }
    }

    @Test
    void aLongListIsInTheRecordByItsDigestAndInTheHistoryWhole(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var server = RunningServer.start(database, BASE)) {
            put(server, DENYLIST, Collections.nCopies(2_000, "\"entry\"").toString());
            String id = ask(server, server.key("agent"), call("entry", 0.9))
                    .json()
                    .at("/context/evaluation_id")
                    .asText();
            JsonNode record = record(server, id, "");
            assertThat(record.path("decision").asText()).isEqualTo("deny");
            assertThat(record.toString()).hasSizeLessThan(3_000);
            String kept =
                    column(database, "select new_value from settings_history").get(0);
            assertThat(record.at("/values/base~1approvals.denylist/sha256").asText())
                    .isEqualTo(Sha256.hex(kept));
            assertThat(record(server, id, "/explain").path("same_rules").asBoolean())
                    .isTrue();
        }
    }

    @Test
    void aRestartKeepsWhatWasSetAndAPackThatIsGoneOrChangedLeavesItUnused(
            @AsOwner PostgresAddress database, @TempDir Path changed) throws IOException {
        RunningServer.pack(changed, """
                name: base
                params:
                  approvals.denylist: {type: number, default: 1}
                """, """
                package base
                rule "all" when Request( action == "read" ) then decision.allow("OK"); end
                """);
        try (var first = RunningServer.start(database, BASE)) {
            put(first, THRESHOLD, "0.99");
            put(first, DENYLIST, "[\"read\"]");
            assertThat(outcome(first, "read", 0.9)).isEqualTo("deny");
            try (var second = first.another(Map.of(), BASE)) {
                assertThat(outcome(second, "read", 0.9)).isEqualTo("deny");
                assertThat(outcome(second, "write", 0.9)).isEqualTo("require_approval");
            }
            try (var third = first.another(Map.of(), changed)) {
                assertThat(outcome(third, "read", 0.9)).isEqualTo("allow");
                JsonNode threshold = third.get(THRESHOLD, third.key("admin")).json();
                assertThat(threshold.path("in_use").asBoolean()).isFalse();
                assertThat(threshold.path("stored").asDouble()).isEqualTo(0.99);
                assertThat(threshold.path("problem").asText()).contains("no active pack declares");
                JsonNode denylist = third.get(DENYLIST, third.key("admin")).json();
                assertThat(denylist.path("in_use").asBoolean()).isFalse();
                assertThat(denylist.path("value").asInt()).isEqualTo(1);
                assertThat(denylist.path("stored").toString()).isEqualTo("[\"read\"]");
                assertThat(denylist.path("problem").asText()).contains("needs a number, not a list");
                assertThat(third.get(SETTINGS, third.key("admin")).body()).contains("\"approvals.threshold\"");
                third.agreedDelete(THRESHOLD, third.key("admin"));
                assertThat(third.get(THRESHOLD, third.key("admin")).status()).isEqualTo(404);
            }
            RunningServer.until(
                    "the first server forgets it, too",
                    () -> outcome(first, "write", 0.9).equals("allow"));
            assertThat(outcome(first, "read", 0.9)).isEqualTo("deny");
        }
    }
}
