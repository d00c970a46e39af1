package dev.countersign.bench;

import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/**
 * The floor: a bare Vert.x server that parses the same JSON and answers a constant. The constant is what the measured
 * server answers, so that both move the same bytes.
 */
final class Echo extends AbstractVerticle {
    private final Buffer answer;
    private final int port;

    private Echo(String answer, int port) {
        this.answer = Buffer.buffer(answer);
        this.port = port;
    }

    /** Listens on any port of loopback, answers {@code args[0]}, says {@code ready URL}, and serves until it is killed. */
    public static void main(String[] args) throws IOException {
        int loops = Runtime.getRuntime().availableProcessors();
        var vertx =
                Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(loops));
        int port = freePort();
        vertx.deployVerticle(() -> new Echo(args[0], port), new DeploymentOptions().setInstances(loops))
                .onSuccess(id -> System.out.println("ready http://127.0.0.1:" + port))
                .onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
    }

    @Override
    public void start(Promise<Void> started) {
        vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(port))
                .requestHandler(request -> request.body().onSuccess(body -> {
                    var parsed = new JsonObject(body);
                    request.response()
                            .setStatusCode(parsed.isEmpty() ? 400 : 200)
                            .putHeader("Content-Type", "application/json")
                            .end(answer);
                }))
                .listen()
                .<Void>mapEmpty()
                .onComplete(started);
    }

    /** A port of loopback on which nothing listens. */
    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
