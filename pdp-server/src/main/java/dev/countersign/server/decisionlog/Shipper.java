package dev.countersign.server.decisionlog;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that copies segments into the database, exactly once. It reads the files and verifies the chain of all that
 * it did not see being written ({@link Shipment}); rows and position are committed together. While the database is away it
 * tries again, at most every five seconds; a damaged segment stops alone, until the next start, and the others go on.
 */
final class Shipper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Shipper.class);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final Duration NETWORK_TIMEOUT = Duration.ofSeconds(30);

    private final DecisionLog log;
    private final DataSource database;
    private final LogObserver observer;
    private final CopyBatch batch = new CopyBatch();
    private final Map<UUID, Shipment> shipments = new HashMap<>();
    private final Set<UUID> stopped = new HashSet<>();
    private final Set<LocalDate> days = new HashSet<>();
    private final Thread thread = new Thread(this::run, "decision-log-shipper");
    private long pause = PAUSE_NANOS;
    private volatile @Nullable Connection connection;
    private volatile boolean closing;
    private volatile long deadline;

    Shipper(DecisionLog log, DataSource database) {
        this.log = log;
        this.database = database;
        this.observer = log.observer();
        thread.setDaemon(true);
        thread.start();
    }

    /** Ships the rest for as long as the settings allow, then ends. */
    @Override
    public void close() {
        deadline = System.nanoTime() + log.settings().drain().toNanos();
        closing = true;
        LockSupport.unpark(thread);
        try {
            thread.join(log.settings().drain().plusSeconds(1).toMillis());
            Connection stuck = connection;
            if (thread.isAlive() && stuck != null) {
                stuck.abort(Runnable::run);
                thread.join(1_000);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            LOG.warn(
                    "the connection of the shipper could not be ended; what it left is shipped after the next start",
                    e);
        }
    }

    private void run() {
        while (true) {
            boolean more = false;
            log.spares().expire();
            try {
                more = pass(connected());
                pause = PAUSE_NANOS;
            } catch (SQLException e) {
                observer.failed(LogObserver.Failure.SHIP);
                LOG.warn(
                        "decisions could not be shipped; they wait in {}: {}",
                        log.settings().directory(),
                        e.getMessage());
                disconnect();
                pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
            } catch (RuntimeException | Error e) {
                observer.failed(LogObserver.Failure.SHIP);
                LOG.error("shipping failed in a way that was not foreseen; it is tried again", e);
                disconnect();
                pause = LONGEST_PAUSE_NANOS;
            }
            if (closing && (drained() || System.nanoTime() - deadline >= 0)) {
                break;
            }
            if (!more) {
                LockSupport.parkNanos(closing ? PAUSE_NANOS : pause);
            }
        }
        disconnect();
    }

    /** Ships one batch of each segment; answers whether more is waiting already. */
    private boolean pass(Connection to) throws SQLException {
        boolean more = false;
        List<Segment> segments = log.segments().stream()
                .filter(s -> !stopped.contains(s.id()))
                .sorted(Comparator.comparing(s -> s.header().started()))
                .toList();
        for (Segment segment : segments) {
            if (follows(segment)) {
                var shipment = shipments.computeIfAbsent(segment.id(), id -> new Shipment(segment));
                try {
                    more |= ship(to, shipment);
                } catch (DamagedSegmentException e) {
                    to.rollback();
                    stop(shipment, e);
                } catch (IOException e) {
                    to.rollback();
                    shipment.close();
                    observer.failed(LogObserver.Failure.SHIP);
                    LOG.warn("{} could not be read; it is tried again", segment.file(), e);
                }
            }
        }
        return more;
    }

    /** A segment waits for its predecessor, so that the table holds each chain without a hole. */
    private boolean follows(Segment segment) {
        SegmentHeader.ChainEnd end = segment.header().predecessor();
        return end == null
                || log.segment(end.segment()) == null
                || stopped.contains(end.segment())
                || completed(end.segment());
    }

    private boolean completed(UUID segment) {
        Shipment shipment = shipments.get(segment);
        return shipment != null && shipment.complete();
    }

    private boolean ship(Connection to, Shipment shipment) throws IOException, SQLException {
        if (shipment.complete()) {
            return false;
        }
        boolean full = false;
        if (shipment.read(to, batch)) {
            full = batch.full();
            long begin = System.nanoTime();
            ensurePartitions(to);
            try {
                shipment.commit(to, batch);
            } catch (SQLException e) {
                if (refusesData(e)) {
                    throw new DamagedSegmentException(
                            "the table refuses an entry of "
                                    + shipment.segment().file() + ": " + e.getMessage(),
                            e);
                }
                throw e;
            }
            pause = PAUSE_NANOS;
            observer.shipped(batch.rows(), System.nanoTime() - begin);
        }
        shipment.check(to);
        if (shipment.complete() && !log.settings().keepSegments()) {
            shipment.release(log.spares());
            log.remove(shipment.segment());
            shipments.remove(shipment.segment().id());
        }
        return full;
    }

    private void stop(Shipment shipment, DamagedSegmentException why) {
        observer.failed(LogObserver.Failure.CORRUPT);
        LOG.error("a segment of the decision log is shipped no further; the others are: {}", why.getMessage(), why);
        stopped.add(shipment.segment().id());
        shipment.close();
    }

    /** Classes 22, 23 and 54: trying again cannot help. A missing partition is in class 23 and can be made. */
    private static boolean refusesData(SQLException e) {
        String state = e.getSQLState();
        return state != null
                && (state.startsWith("22") || state.startsWith("23") || state.startsWith("54"))
                && !"23514".equals(state);
    }

    /** Also makes the next day's partition, so that midnight does not wait for a lock. */
    private void ensurePartitions(Connection to) throws SQLException {
        for (LocalDate day : batch.days()) {
            if (!days.contains(day)) {
                try (var ensure =
                        to.prepareStatement("select ensure_decision_partition(?), ensure_decision_partition(?)")) {
                    ensure.setObject(1, day);
                    ensure.setObject(2, day.plusDays(1));
                    ensure.execute();
                }
                to.commit();
                days.add(day);
            }
        }
    }

    private boolean drained() {
        return log.segments().stream().allMatch(s -> s.shipped() >= s.written() || stopped.contains(s.id()));
    }

    private Connection connected() throws SQLException {
        Connection open = connection;
        if (open == null) {
            open = database.getConnection();
            connection = open;
            open.setAutoCommit(false);
            open.setNetworkTimeout(Runnable::run, (int) NETWORK_TIMEOUT.toMillis());
        }
        return open;
    }

    private void disconnect() {
        shipments.values().forEach(Shipment::close);
        days.clear();
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                LOG.debug("closing a broken connection", e);
            }
        }
    }
}
