package dev.countersign.server;

import dev.countersign.server.config.ServerConfig;
import dev.countersign.server.decisionlog.DecisionLog;
import dev.countersign.server.http.HttpVerticle;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The event loops that listen, all on one port.
 *
 * @param port the port
 * @param url what clients call the server
 * @param loops their deployments
 */
record Listening(int port, String url, Vertx vertx, List<String> loops) {
    private static final Logger LOG = LoggerFactory.getLogger(Listening.class);

    /** Has so many event loops listen. */
    static Listening start(Vertx vertx, HttpVerticle.Shared shared, DecisionLog log, int count) throws IOException {
        ServerConfig config = shared.config();
        int port = config.port() == 0 ? freePort(config.host()) : config.port();
        String url = config.publicUrl() == null
                ? config.localUrl(port)
                : config.publicUrl().toString();
        if (config.publicUrl() == null && config.tls() == null) {
            LOG.info(
                    "PUBLIC_URL is not set: metadata names {}, which AuthZEN clients may refuse as it is not https",
                    url);
        }
        var verticles = new ArrayList<HttpVerticle>();
        var listening = new ArrayList<Future<String>>();
        for (int loop = 0; loop < count; loop++) {
            var verticle = new HttpVerticle(shared, port, url, log.writer(loop));
            verticles.add(verticle);
            listening.add(vertx.deployVerticle(verticle));
        }
        Server.await(Future.all(listening), "listening on port " + port);
        if (shared.certificates() != null) {
            shared.certificates().follow(verticles.get(0)::show);
        }
        return new Listening(
                port, url, vertx, listening.stream().map(Future::result).toList());
    }

    /** Has nobody listen any more. */
    Future<?> cease() {
        return Future.join(loops.stream().map(vertx::undeploy).toList());
    }

    private static int freePort(String host) throws IOException {
        try (var socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(host, 0));
            return socket.getLocalPort();
        }
    }
}
