package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PostgresExtension.class)
class StalePolicyTest {
    private static final Path BASE = RunningServer.checkout("rules/packs/base");
    private static final String CALL = """
            {"action": "summarize", "context": {"confidence": 0.9}}""";

    @Test
    void keysThatCouldNotBeConfirmedForTooLongLetNobodyInUntilTheyAre(@AsOwner PostgresAddress database)
            throws IOException {
        try (var cable = new Cable(database.host(), database.port());
                var server =
                        RunningServer.start(database, cable.port(), Map.of("COUNTERSIGN_MAX_STALENESS", "3"), BASE)) {
            RunningServer.until("it decides", () -> ask(server).status() == 200);
            cable.cut();
            RunningServer.until(
                    "the database is found to be away",
                    () -> server.get("/readyz").status() == 503);
            RunningServer.until("what it knows is too old", () -> ask(server).status() == 503);
            Reply refused = ask(server);
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.json().path("type").asText()).isEqualTo("urn:countersign:problem:stale_policy");
            assertThat(refused.json().has("decision")).isFalse();
            assertThat(server.post("/access/v1/evaluation", CALL).status()).isEqualTo(503);
            cable.mend();
            RunningServer.until("it decides again", () -> ask(server).status() == 200);
        }
    }

    @Test
    void settingsThatCouldNotBeReadForTooLongLetNobodyInUntilTheyAre(@AsOwner PostgresAddress database)
            throws IOException, SQLException {
        try (var server =
                RunningServer.start(database, database.port(), Map.of("COUNTERSIGN_MAX_STALENESS", "3"), BASE)) {
            assertThat(ask(server).status()).isEqualTo(200);
            Sql.execute(database, "alter table settings rename to gone");
            Sql.countChange(database, "demo");
            RunningServer.until("what it knows is too old", () -> ask(server).status() == 503);
            assertThat(ask(server).json().path("type").asText()).isEqualTo("urn:countersign:problem:stale_policy");
            JsonNode faults = server.get("/readyz").json().path("faults");
            assertThat(faults.has("policies")).isTrue();
            assertThat(faults.has("keys")).isFalse();
            Sql.execute(database, "alter table gone rename to settings");
            RunningServer.until("it decides again", () -> ask(server).status() == 200);
        }
    }

    private static Reply ask(RunningServer server) {
        return server.post("/v1/policy/evaluate", CALL);
    }
}
