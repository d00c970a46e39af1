package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.decisionlog.DecisionLog;
import dev.countersign.server.decisionlog.LogSettings;
import dev.countersign.server.metrics.LogMeters;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnsweringTest {
    private static final String PATH = "/asked";
    private static final String COUNT = "countersign_http_requests_total{route=\"/asked\",status=\"200\"} ";

    @Test
    void onlyWhatIsSentIsCountedAndTimed(@TempDir Path directory) throws Exception {
        var turns = new LinkedBlockingQueue<Runnable>();
        var gone = new AtomicInteger();
        Vertx vertx = Vertx.vertx();
        try (var metrics = new Metrics();
                var log = DecisionLog.open(
                        new LogSettings(directory, "server", true, Duration.ZERO, Clock.systemUTC(), UUID::randomUUID),
                        new LogMeters(metrics, Clock.systemUTC()))) {
            var decisions = new DecisionLoop(
                    log.writer(0),
                    DecisionLoop.Durability.PROCESS,
                    turns::add,
                    Clock.systemUTC(),
                    new SplittableRandom(1),
                    metrics,
                    (caller, user) -> {});
            var answering = new Answering(decisions, metrics, PATH);
            var router = Router.router(vertx);
            router.get(PATH).handler(ctx -> {
                ctx.response().closeHandler(closed -> gone.incrementAndGet());
                answering.send(ctx, "{}".getBytes(StandardCharsets.UTF_8), System.nanoTime());
            });
            var loop = vertx.getOrCreateContext();
            var listening = new java.util.concurrent.CompletableFuture<Integer>();
            loop.runOnContext(start -> vertx.createHttpServer()
                    .requestHandler(router)
                    .listen(0, "127.0.0.1")
                    .onComplete(server -> listening.complete(server.actualPort()), listening::completeExceptionally));
            int port = listening.get(30, TimeUnit.SECONDS);

            try (Socket leaving = ask(port)) {
                assertThat(turns.poll(30, TimeUnit.SECONDS)).isNotNull().satisfies(turn -> {
                    leaving.close();
                    RunningServer.until("the server knows", () -> gone.get() == 1);
                    loop.runOnContext(now -> turn.run());
                });
            }
            try (Socket staying = ask(port)) {
                Runnable turn = turns.poll(30, TimeUnit.SECONDS);
                assertThat(turn).isNotNull();
                loop.runOnContext(now -> turn.run());
                staying.setSoTimeout(30_000);
                assertThat(new String(staying.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
                        .isEqualTo("HTTP/1.1 200");
            }
            RunningServer.until("it is counted", () -> !metrics.scrape().contains(COUNT + "0.0"));
            assertThat(metrics.scrape()).contains(COUNT + "1.0");
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        }
    }

    private static Socket ask(int port) throws java.io.IOException {
        var socket = new Socket("127.0.0.1", port);
        socket.getOutputStream()
                .write(("GET " + PATH + " HTTP/1.1\r\nHost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        return socket;
    }
}
