package dev.countersign.server.decisionlog;

/**
 * A listener that turns what the log does into metrics. Methods are called on event loops, on the flusher and on the
 * shipper, at the same time; they must be quick and must not throw.
 */
public interface LogObserver {
    /** What can fail. Each failure is also logged, with what the operator can do about it. */
    enum Failure {
        /** No segment could be opened: entries are refused. */
        OPEN,
        /** Entries could not be written and were refused. */
        WRITE,
        /** The operating system could not make a segment durable; the segment is given up. */
        FORCE,
        /** A batch did not reach the database; it is tried again. */
        SHIP,
        /** A segment is damaged or holds an entry that the table cannot take; its shipping has stopped. */
        CORRUPT
    }

    /** Entries of one loop reached the operating system by one write. */
    default void written(int loop, int entries, long bytes, long nanos) {}

    /** One segment was forced to the disk. */
    default void forced(long nanos) {}

    /** Rows and their position were committed in the database. */
    default void shipped(int rows, long nanos) {}

    /** Something failed. */
    default void failed(Failure failure) {}
}
