package dev.countersign.server.sealing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.decisionlog.VerifyReport;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A server that is stopped leaves nothing without a checkpoint, however long the interval is. */
@ExtendWith(PostgresExtension.class)
class LastCheckpointTest {
    private static final String CHECKPOINTS = "/api/v1/audit/checkpoints";
    private static final int CALLS = 50;

    @Test
    void aCleanStopMakesACheckpointOfAllThatWasDecided(PostgresAddress application, @AsOwner PostgresAddress database)
            throws Exception {
        try (RunningServer server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"))) {
            RunningServer.until(
                    "there is a first checkpoint",
                    () -> server.get(CHECKPOINTS, server.key("admin")).body().contains("\"number\":1"));
            RunningServer.until(
                    "the metrics tell of it",
                    () -> server.get("/metrics", server.key("operator"))
                            .body()
                            .matches("(?s).*\ncountersign_checkpoint_age_seconds 0*[.1-9].*"));
            assertThat(server.get("/metrics", server.key("operator")).body())
                    .contains("\ncountersign_events_unsealed 0.0", "\ncountersign_checkpoints_failed_total 0.0");
            for (int i = 0; i < CALLS; i++) {
                assertThat(server.post("/access/v1/evaluation", """
                                {"subject": {"type": "agent", "id": "a"}, "action": {"name": "x"},
                                 "resource": {"type": "tool", "id": "x"}}""").status()).isEqualTo(200);
            }
        }
        try (var trail = new Trail(application, database)) {
            VerifyReport report = trail.verify();
            assertThat(report.ok()).as(report.lines().toString()).isTrue();
            assertThat(report.segments())
                    .isNotEmpty()
                    .allSatisfy(segment -> assertThat(segment.checkpointed())
                            .as(segment.segment().toString())
                            .isEqualTo(segment.completeUpTo()));
            assertThat(report.segments().stream()
                            .mapToLong(VerifyReport.SegmentReport::completeUpTo)
                            .sum())
                    .isEqualTo(CALLS);
        }
    }
}
