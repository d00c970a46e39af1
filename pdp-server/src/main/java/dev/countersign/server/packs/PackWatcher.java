package dev.countersign.server.packs;

import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the folders that a server has its packs from. Once nothing has been written for a moment, what is there is read and
 * checked: if it is good, it is served; if not, what was served before goes on, and that is said.
 */
public final class PackWatcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PackWatcher.class);
    private static final long LOOK_MILLIS = 100;
    /** So many looks in a row see the same before it is read: several files are changed by one save. */
    private static final int QUIET = 3;

    private static final int MOST_SAID = 5;

    private final List<Path> places;
    private final Consumer<List<Pack>> serve;
    private final AtomicReference<@Nullable String> problem;
    private final PackMeters meters;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread = new Thread(this::watch, "packs");
    private List<String> serving;
    private @Nullable PackFolders read;
    private @Nullable PackFolders seen;
    private int quiet;

    /**
     * A watcher that does nothing yet.
     *
     * @param places packs, or folders of packs
     * @param serving the packs that are served now
     * @param serve serves others, which have passed the gate, or throws {@link IllegalArgumentException} if they cannot be
     * @param problem holds what is wrong with the files, without a word of what is in them, and nothing if they are what is
     *     served
     * @param meters count
     */
    public PackWatcher(
            List<Path> places,
            List<Pack> serving,
            Consumer<List<Pack>> serve,
            AtomicReference<@Nullable String> problem,
            PackMeters meters) {
        this.places = places;
        this.serving = digests(serving);
        this.serve = serve;
        this.problem = problem;
        this.meters = meters;
        meters.refusing(() -> problem.get() != null);
        thread.setDaemon(true);
    }

    /** Begins to watch. */
    public void start() {
        thread.start();
    }

    private void watch() {
        try {
            do {
                look();
            } while (!closed.await(LOOK_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        PackFolders now = PackFolders.of(places);
        if (now != null && now.equals(read)) {
            return;
        }
        quiet = now != null && now.equals(seen) ? quiet + 1 : 1;
        seen = now;
        if (now == null || quiet < QUIET) {
            return;
        }
        var diagnostics = new Diagnostics();
        try {
            List<Pack> packs = new PackReader(diagnostics).read(places);
            if (now.equals(PackFolders.of(places))) {
                read = now;
                found(packs, diagnostics);
            }
        } catch (RuntimeException | StackOverflowError e) {
            // A file that vanished while it was read has changed the folder: then this is not the last word.
            if (now.equals(PackFolders.of(places))) {
                read = now;
                refuse(1, e.toString());
            }
        }
    }

    private void found(List<Pack> packs, Diagnostics diagnostics) {
        if (diagnostics.hasErrors()) {
            List<String> mistakes = diagnostics.all().stream()
                    .filter(diagnostic -> !diagnostic.code().warning())
                    .map(Diagnostic::toString)
                    .toList();
            String first = String.join("; ", mistakes.subList(0, Math.min(MOST_SAID, mistakes.size())));
            refuse(mistakes.size(), first + (mistakes.size() > MOST_SAID ? "; and more" : ""));
            return;
        }
        List<String> digests = digests(packs);
        if (!digests.equals(serving)) {
            try {
                serve.accept(packs);
            } catch (IllegalArgumentException e) {
                refuse(1, String.valueOf(e.getMessage()));
                return;
            }
            serving = digests;
            meters.served();
            LOG.info("the packs were changed, and judge now: {}", said(packs));
        } else if (problem.get() != null) {
            LOG.info("the files of the packs are again what judges");
        }
        problem.set(null);
    }

    private void refuse(int mistakes, String what) {
        meters.refused();
        problem.set("the files under --packs were changed and have "
                + (mistakes == 1 ? "a mistake" : mistakes + " mistakes")
                + ": the rules before the change go on judging; the server's log says more");
        LOG.error("the packs were changed and cannot be used; those before go on judging: {}", what);
    }

    private static List<String> digests(List<Pack> packs) {
        return packs.stream().map(Pack::digest).toList();
    }

    private static String said(List<Pack> packs) {
        return String.join(
                ", ",
                packs.stream()
                        .map(pack -> pack.name() + " " + pack.version() + " ("
                                + pack.digest().substring(0, 12) + ")")
                        .toList());
    }

    @Override
    public void close() {
        closed.countDown();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
