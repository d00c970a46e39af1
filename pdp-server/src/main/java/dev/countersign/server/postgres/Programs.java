package dev.countersign.server.postgres;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The one place that spawns programs: with a bare environment, from a thread that lives as long as the JVM. */
final class Programs {

    /** The kernel's parent-death signal fires when the spawning <em>thread</em> ends, so this one never does. */
    private static final ExecutorService SPAWNER = Executors.newFixedThreadPool(1, task -> {
        Thread thread = new Thread(task, "postgres-spawner");
        thread.setDaemon(true);
        return thread;
    });

    private static final long SECONDS_TO_FINISH = 60;

    private Programs() {}

    /** Starts a program. It inherits nothing of the environment but PATH: there may be secrets in it. */
    static Process spawn(ProcessBuilder program) throws IOException {
        Map<String, String> environment = program.environment();
        String path = environment.getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        environment.clear();
        environment.put("PATH", path);
        environment.put("LC_ALL", "C");
        // Not interruptible, as stopping PostgreSQL after an interrupt needs it.
        CompletableFuture<Process> started = new CompletableFuture<>();
        SPAWNER.execute(() -> {
            try {
                started.complete(program.start());
            } catch (IOException failed) {
                started.completeExceptionally(failed);
            }
        });
        try {
            return started.join();
        } catch (CompletionException failed) {
            throw new IOException(
                    "cannot start " + program.command().get(0)
                            + ", which the bundled PostgreSQL needs together with setpriv and unshare (package"
                            + " util-linux): " + failed.getCause(),
                    failed);
        }
    }

    /** Waits for a short-lived program and returns its exit code; one that does not finish is killed. */
    static int await(Process process) {
        if (!exits(process, SECONDS_TO_FINISH)) {
            process.destroyForcibly();
            throw new PostgresException("a program of the bundled PostgreSQL did not finish in " + SECONDS_TO_FINISH
                    + " s: " + process.info().command().orElse("pid " + process.pid()));
        }
        return process.exitValue();
    }

    /** Waits at most that many seconds and says whether the process ended; an interrupt is kept for later. */
    static boolean exits(Process process, long seconds) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return process.waitFor(seconds, TimeUnit.SECONDS);
                } catch (InterruptedException again) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
