package dev.countersign.server.http;

/**
 * The steps of running an approved call on the server, in their order. Each is told of when it is done; between any two the
 * server may be killed.
 */
public enum ApplyStep {
    /** The last review is in, and the approval there. */
    APPROVED,
    /** Rules have judged the call anew and allow it, and the approval is reserved. */
    RESERVED,
    /** The log has the decision. */
    LOGGED,
    /** That the run begins is written down. */
    STARTED,
    /** The tool was called. */
    RAN,
    /** What became of it is written down, and the approval is used up. */
    REPORTED
}
