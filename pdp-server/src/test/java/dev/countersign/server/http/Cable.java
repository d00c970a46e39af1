package dev.countersign.server.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A way to another port that a test can cut, clog and mend. While it is cut, what goes over it is dropped; while it is
 * clogged, connections are taken and stay open, and nothing comes through until it is mended.
 */
final class Cable implements AutoCloseable {
    private final ServerSocket entrance;
    private final String host;
    private final int port;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Object flow = new Object();
    private volatile boolean cut;
    private boolean clogged;

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

    void clog() {
        synchronized (flow) {
            clogged = true;
        }
    }

    void mend() {
        cut = false;
        synchronized (flow) {
            clogged = false;
            flow.notifyAll();
        }
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

    private void copy(Socket from, Socket to) {
        var chunk = new byte[8_192];
        try (from;
                to) {
            for (int read = from.getInputStream().read(chunk);
                    read >= 0;
                    read = from.getInputStream().read(chunk)) {
                awaitFlow();
                to.getOutputStream().write(chunk, 0, read);
            }
        } catch (IOException e) {
            // One end is gone, and the other is closed with it.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitFlow() throws InterruptedException {
        synchronized (flow) {
            while (clogged) {
                flow.wait();
            }
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
        mend();
    }
}
