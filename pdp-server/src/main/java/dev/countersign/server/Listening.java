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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The event loops that listen, all on one port. */
final class Listening {
    private static final Logger LOG = LoggerFactory.getLogger(Listening.class);

    private Listening() {}

    /**
     * Where they listen.
     *
     * @param port the port
     * @param url what clients call the server
     */
    record At(int port, String url) {}

    /**
     * Has {@code loops} event loops listen.
     *
     * @return where
     */
    static At start(Vertx vertx, HttpVerticle.Shared shared, DecisionLog log, int loops) throws IOException {
        ServerConfig config = shared.config();
        int port = config.port() == 0 ? freePort(config.host()) : config.port();
        String baseUrl = config.publicUrl() == null
                ? config.localUrl(port)
                : config.publicUrl().toString();
        if (config.publicUrl() == null && config.tls() == null) {
            LOG.info(
                    "PUBLIC_URL is not set: metadata names {}, which AuthZEN clients may refuse as it is not https",
                    baseUrl);
        }
        var verticles = new ArrayList<HttpVerticle>();
        var listening = new ArrayList<Future<?>>();
        for (int loop = 0; loop < loops; loop++) {
            var verticle = new HttpVerticle(shared, port, baseUrl, log.writer(loop));
            verticles.add(verticle);
            listening.add(vertx.deployVerticle(verticle));
        }
        Server.await(Future.all(listening), "listening on port " + port);
        if (shared.certificates() != null) {
            shared.certificates().follow(verticles.get(0)::show);
        }
        return new At(port, baseUrl);
    }

    private static int freePort(String host) throws IOException {
        try (var socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(host, 0));
            return socket.getLocalPort();
        }
    }
}
