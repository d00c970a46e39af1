package dev.countersign.server.cli;

/** The exit codes of all commands. */
final class Exit {
    /** Done as asked. */
    static final int OK = 0;
    /** Wrong usage, rules with errors, or a server that cannot start. */
    static final int USAGE = 1;
    /** A case failed, or the audit trail is not what it should be. */
    static final int FAILED = 2;
    /** All cases passed, but the coverage that the pack asks for was missed. */
    static final int BAR = 3;

    private Exit() {}
}
