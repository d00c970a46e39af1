package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A server follows the files that its packs are read from. */
@ExtendWith(PostgresExtension.class)
class PackWatchingTest {
    private static final String MANIFEST = """
            name: watched
            version: 1.0.0
            attributes:
              sum: {type: number, from: resource.properties.sum}
            params:
              watched.limit: {type: number, default: 100, env: WATCHED_LIMIT}
            """;

    private static String rules(String code, int limit) {
        return """
                package watched

                rule "all is well"
                when
                  Request( )
                then
                  decision.allow("FINE");
                end

                rule "too much"
                when
                  Request( sum != null, sum > %d )
                then
                  decision.deny("%s");
                end
                """.formatted(limit, code);
    }

    private static Path pack(Path directory, int limit) throws IOException {
        return RunningServer.pack(directory, MANIFEST, rules("TOO_MUCH", limit));
    }

    /** As an editor does it: another file takes its place. */
    private static void save(Path file, String text) throws IOException {
        Path beside = file.resolveSibling(file.getFileName() + "~");
        Files.writeString(beside, text);
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static Reply ask(RunningServer server, int amount) {
        Reply reply = server.post("/access/v1/evaluation", """
                {"subject": {"type": "user", "id": "ann"}, "action": {"name": "pay"},
                 "resource": {"type": "account", "id": "a", "properties": {"sum": %d}}}""".formatted(amount));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply;
    }

    private static boolean allows(RunningServer server, int amount) {
        return ask(server, amount).decision();
    }

    private static String scrape(RunningServer server) {
        return server.get("/metrics", server.key("operator")).body();
    }

    @Test
    void aGoodEditIsServedWithoutARestart(@AsOwner PostgresAddress database, @TempDir Path directory)
            throws IOException {
        Path pack = pack(directory, 10);
        try (var server = RunningServer.start(database, pack)) {
            assertThat(allows(server, 11)).isFalse();
            save(pack.resolve("rules.drl"), rules("TOO_MUCH", 20));
            RunningServer.until("the edit is served", () -> allows(server, 11));
            assertThat(allows(server, 21)).isFalse();
            // Written in place, with as many bytes.
            Files.writeString(pack.resolve("rules.drl"), rules("TOO_MUCH", 30));
            RunningServer.until("the second edit is served", () -> allows(server, 21));
            save(pack.resolve("pack.yaml"), MANIFEST.replace("1.0.0", "2.0.0"));
            RunningServer.until("the gauges follow", () -> scrape(server).contains("version=\"2.0.0\""));
            assertThat(scrape(server)).doesNotContain("version=\"1.0.0\"").contains("result=\"served\"} 3");
        }
    }

    @Test
    void aBadEditLeavesTheOldRulesServingAndIsSaid(@AsOwner PostgresAddress database, @TempDir Path directory)
            throws IOException {
        Path pack = pack(directory, 10);
        Path rules = pack.resolve("rules.drl");
        try (var server = RunningServer.start(database, pack)) {
            assertThat(scrape(server)).contains("countersign_packs_refused 0");
            String secret = "ammount_of_ann";
            for (String bad : List.of(
                    rules("TOO_MUCH", 20).replace("sum > ", secret + " > "),
                    "rule",
                    rules("TOO_MUCH", 20).replace("end\n", ""))) {
                save(rules, bad);
                RunningServer.until(
                        "it is said",
                        () -> server.get("/readyz").body().contains("the rules before the change go on judging"));
                Reply ready = server.get("/readyz");
                assertThat(ready.status()).isEqualTo(200);
                assertThat(ready.json().path("warnings").path("packs").asText()).contains("mistake");
                assertThat(ready.body()).doesNotContain(secret);
                assertThat(scrape(server))
                        .contains("countersign_packs_refused 1")
                        .contains("result=\"refused\"}");
                assertThat(allows(server, 11)).isFalse();
                assertThat(allows(server, 10)).isTrue();
                save(rules, rules("TOO_MUCH", 10));
                RunningServer.until(
                        "all is well again", () -> !server.get("/readyz").body().contains("warnings"));
            }
            save(rules, rules("TOO_MUCH", 20));
            RunningServer.until("a good edit is served", () -> allows(server, 11));
        }
    }

    @Test
    void packsComeAndGoButNeverAllOfThem(@AsOwner PostgresAddress database, @TempDir Path directory)
            throws IOException {
        Path first = pack(Files.createDirectory(directory.resolve("first")), 10);
        try (var server = RunningServer.start(database, directory)) {
            assertThat(allows(server, 5)).isTrue();
            Path second = Files.createDirectory(directory.resolve("second"));
            Files.writeString(second.resolve("rules.drl"), """
                    package second

                    rule "nobody"
                    when
                      Request( )
                    then
                      decision.deny("NOBODY");
                    end
                    """);
            save(second.resolve("pack.yaml"), "name: second\nversion: 1.0.0\n");
            RunningServer.until("the second pack judges", () -> !allows(server, 5));
            assertThat(ask(server, 5).body()).contains("NOBODY");
            Files.delete(second.resolve("pack.yaml"));
            RunningServer.until(
                    "rules without a pack are refused",
                    () -> server.get("/readyz").body().contains("warnings"));
            assertThat(allows(server, 5)).isFalse();
            Files.delete(second.resolve("rules.drl"));
            RunningServer.until("the second pack is gone", () -> allows(server, 5));
            Files.move(first.resolve("pack.yaml"), directory.resolve("kept"));
            RunningServer.until(
                    "no pack at all is refused",
                    () -> server.get("/readyz").body().contains("warnings"));
            assertThat(allows(server, 5)).isTrue();
            assertThat(allows(server, 11)).isFalse();
        }
    }

    @Test
    void whatATenantSetOutlivesAnEdit(@AsOwner PostgresAddress database, @TempDir Path directory) throws IOException {
        Path pack = RunningServer.pack(
                directory, MANIFEST, rules("TOO_MUCH", 10).replace("sum > 10", "sum > param(\"watched.limit\")"));
        try (var server = RunningServer.start(database, pack)) {
            String limit = "/api/v1/settings/watched.limit";
            assertThat(server.agreedPut(limit, server.key("admin"), "{\"value\": 50}")
                            .status())
                    .isEqualTo(200);
            assertThat(allows(server, 51)).isFalse();
            save(
                    pack.resolve("rules.drl"),
                    rules("FAR_TOO_MUCH", 1).replace("sum > 1 ", "sum > param(\"watched.limit\") "));
            RunningServer.until(
                    "the edit is served", () -> ask(server, 51).body().contains("FAR_TOO_MUCH"));
            assertThat(allows(server, 50)).isTrue();
        }
    }

    @Test
    void anEditThatTheEnvironmentDoesNotFitJudgesNobody(@AsOwner PostgresAddress database, @TempDir Path directory)
            throws IOException {
        String secret = "hunter2";
        Path pack = pack(directory, 10);
        String text = MANIFEST.replace("number, default: 100", "text, default: none");
        Files.writeString(pack.resolve("pack.yaml"), text);
        try (var server = RunningServer.start(database, database.port(), Map.of("WATCHED_LIMIT", secret), pack)) {
            assertThat(allows(server, 5)).isTrue();
            save(pack.resolve("pack.yaml"), MANIFEST);
            RunningServer.until("it is said", () -> server.get("/readyz").body().contains("warnings"));
            assertThat(server.get("/readyz").body()).doesNotContain(secret);
            assertThat(allows(server, 5)).isTrue();
            assertThat(allows(server, 11)).isFalse();
            Publishers late = Publishers.of(server, server, "late");
            assertThat(Publishing.allows(server, late.decide(), 5))
                    .as("not in memory before")
                    .isTrue();
            save(pack.resolve("pack.yaml"), text);
            RunningServer.until(
                    "all is well again", () -> !server.get("/readyz").body().contains("warnings"));
        }
    }

    @Test
    void noRequestFailsAndNoneIsJudgedByHalfAnEdit(@AsOwner PostgresAddress database, @TempDir Path directory)
            throws IOException {
        Path pack = pack(directory, 10);
        try (var server = RunningServer.start(database, pack)) {
            var editing = new AtomicBoolean(true);
            var clients = new ArrayList<CompletableFuture<Void>>();
            for (int i = 0; i < 3; i++) {
                clients.add(CompletableFuture.runAsync(() -> {
                    while (editing.get()) {
                        String said = ask(server, 100).body();
                        assertThat(said).containsAnyOf("TOO_MUCH", "MORE_THAN_ENOUGH");
                        assertThat(Reply.decision(Reply.parse(said))).isFalse();
                    }
                }));
            }
            try {
                for (int round = 0; round < 6; round++) {
                    String code = round % 2 == 0 ? "MORE_THAN_ENOUGH" : "TOO_MUCH";
                    save(pack.resolve("rules.drl"), rules(code, 10));
                    RunningServer.until(
                            "the edit is served", () -> ask(server, 100).body().contains(code));
                }
            } finally {
                editing.set(false);
            }
            clients.forEach(CompletableFuture::join);
        }
    }
}
