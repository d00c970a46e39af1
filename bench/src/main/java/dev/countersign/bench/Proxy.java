package dev.countersign.bench;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;

/** A fixed port of loopback in front of a server whose own port changes from start to start. */
final class Proxy implements AutoCloseable {
    private final Vertx vertx = Vertx.vertx();
    private final NetClient client = vertx.createNetClient();
    private final int port;
    private volatile int target;

    Proxy() {
        NetServer server = vertx.createNetServer().connectHandler(this::connected);
        port = server.listen(0, "127.0.0.1").await().actualPort();
    }

    int port() {
        return port;
    }

    /** Where new connections go from now on. */
    void target(int to) {
        target = to;
    }

    private void connected(NetSocket caller) {
        caller.pause();
        client.connect(target, "127.0.0.1")
                .onSuccess(called -> {
                    caller.pipeTo(called);
                    called.pipeTo(caller);
                    caller.resume();
                })
                .onFailure(failure -> caller.close());
    }

    @Override
    public void close() {
        vertx.close().await();
    }
}
