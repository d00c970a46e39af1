package dev.countersign.server.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A way to another port that a test can cut and mend: what goes over it is dropped while it is cut. */
final class Cable implements AutoCloseable {
    private final ServerSocket entrance;
    private final String host;
    private final int port;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean cut;

    Cable(String host, int port) throws IOException {
        this.entrance = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.host = host;
        this.port = port;
        daemon(this::accept);
    }

    /** Where to connect instead. */
    int port() {
        return entrance.getLocalPort();
    }

    void cut() {
        cut = true;
        open.forEach(Cable::drop);
        open.clear();
    }

    void mend() {
        cut = false;
    }

    private void accept() {
        try {
            while (!entrance.isClosed()) {
                Socket near = entrance.accept();
                if (cut) {
                    drop(near);
                    continue;
                }
                Socket far = new Socket(host, port);
                open.add(near);
                open.add(far);
                daemon(() -> copy(near, far));
                daemon(() -> copy(far, near));
                if (cut) {
                    drop(near);
                    drop(far);
                }
            }
        } catch (IOException e) {
            if (!entrance.isClosed()) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void copy(Socket from, Socket to) {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // One end is gone, and the other is closed with it.
        }
    }

    private static void drop(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void daemon(Runnable task) {
        var thread = new Thread(task, "cable");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        entrance.close();
        cut();
    }
}
