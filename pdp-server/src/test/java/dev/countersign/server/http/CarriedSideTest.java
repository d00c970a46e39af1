package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Whom a pack says an agent belongs to does not review the agent's calls. */
@ExtendWith(PostgresExtension.class)
class CarriedSideTest {
    @Test
    void theOwnerThatAPackNamesAndTheOwnersDelegateDoNotReview(
            @AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        RunningServer.pack(directory, """
                name: carrying
                version: 1.0.0
                approvals:
                  one:
                    stages: [{name: any, quorum: 1, roles: [approvals.approve]}]
                    decide_within: 1h
                    use_within: 15m
                tests: {rules: 0, conditions: 0, needed: 0}
                """, """
                package carrying

                rule "asks"
                when
                  Request( action == "ship" )
                then
                  decision.requireApproval("SHIP", "one");
                end
                """);
        Files.createDirectories(directory.resolve("entities"));
        Files.writeString(
                directory.resolve("entities/all.jsonl"),
                "{\"type\": \"agent\", \"id\": \"planner\", \"owner\": \"bob\"}\n"
                        + "{\"type\": \"user\", \"id\": \"bob\", \"delegates\": [\"alice\"]}\n");
        try (RunningServer server = RunningServer.start(database, directory)) {
            var call = Asks.call("ship");
            Reply reply = Asks.submit(
                    server, server.key("agent"), Asks.submission(call, Asks.denied(server, server.key("agent"), call)));
            assertThat(reply.status()).as(reply.body()).isEqualTo(400);
            assertThat(reply.json().path("detail").asText()).contains("nobody could approve this");
        }
    }
}
