package dev.countersign.server.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.events.Event;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One stream over a real connection, with events that a test makes up and a pace that does not keep it waiting. */
class EventStreamTest {
    private static final EventStream.Pace QUICK = new EventStream.Pace(20, 3, 1_000);
    private static final EventStream.Pace IMPATIENT = new EventStream.Pace(20, 3, 10);
    private static final String BODY = "{\"data\":\"" + "x".repeat(2_000) + "\"}";

    private final Vertx vertx = Vertx.vertx();
    private final AtomicLong read = new AtomicLong();
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicBoolean good = new AtomicBoolean(true);
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile long available;

    @AfterEach
    void close() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private Future<List<Event>> after(long number) {
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            return Future.failedFuture("the database is away");
        }
        var page = new ArrayList<Event>();
        for (long next = number + 1; next <= available && page.size() < EventStream.PAGE; next++) {
            page.add(new Event(next, "policy.denied", BODY));
        }
        read.addAndGet(page.size());
        return Future.succeededFuture(page);
    }

    private Socket connect(EventStream.Pace pace) throws Exception {
        HttpServer server = vertx.createHttpServer()
                .requestHandler(request -> new EventStream(
                                vertx, request.response(), this::after, event -> true, good::get, pace)
                        .start(0, () -> ended.set(true)));
        int port = server.listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS)
                .actualPort();
        var socket = new Socket();
        socket.setSoTimeout(30_000);
        socket.connect(new InetSocketAddress("127.0.0.1", port));
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
        return socket;
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
    }

    private static void until(BufferedReader in, String line) throws IOException {
        for (String next = in.readLine(); !line.equals(next); next = in.readLine()) {
            assertThat(next).as("the stream goes on until " + line).isNotNull();
        }
    }

    @Test
    void aClientThatTakesNothingIsCutOffAndNothingIsPiledUpForIt() throws Exception {
        available = Long.MAX_VALUE - 1;
        try (Socket socket = connect(IMPATIENT)) {
            RunningServer.until("it is given up", ended::get);
            long bytes = read.get() * BODY.length();
            // What the kernel holds for both sides, and no more than a page beyond the connection's own buffer.
            assertThat(bytes).isLessThan(32 << 20);
            long then = read.get();
            socket.getInputStream().readNBytes(1_000);
            RunningServer.until("the connection is closed", () -> closed(socket));
            assertThat(read.get()).isEqualTo(then);
        }
    }

    private static boolean closed(Socket socket) {
        try {
            return socket.getInputStream().read(new byte[65_536]) < 0;
        } catch (IOException reset) {
            return true;
        }
    }

    @Test
    void aClientThatIsSlowButTakesWhatItIsSentGetsEverything() throws Exception {
        available = 3_000;
        try (Socket socket = connect(QUICK)) {
            until(reader(socket), "id: 3000");
            assertThat(ended).isFalse();
        }
        RunningServer.until("it ends when the client goes", ended::get);
        assertThat(read.get()).isEqualTo(3_000);
    }

    @Test
    void aSilentStreamBeats() throws Exception {
        try (Socket socket = connect(QUICK);
                BufferedReader in = reader(socket)) {
            until(in, "id: 0");
            until(in, ":");
            until(in, ":");
            available = 1;
            until(in, "id: 1");
            until(in, ":");
        }
    }

    @Test
    void aDatabaseThatIsAwayForAWhileDelaysAndLosesNothing() throws Exception {
        failures.set(3);
        available = 2;
        try (Socket socket = connect(QUICK);
                BufferedReader in = reader(socket)) {
            until(in, "id: 1");
            until(in, "id: 2");
        }
    }

    @Test
    void itEndsWhenTheClientMayHearNoMore() throws Exception {
        try (Socket socket = connect(QUICK);
                BufferedReader in = reader(socket)) {
            until(in, "id: 0");
            good.set(false);
            available = 5;
            until(in, "0");
            assertThat(ended).isTrue();
        }
    }
}
