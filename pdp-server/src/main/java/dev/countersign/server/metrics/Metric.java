package dev.countersign.server.metrics;

import java.util.List;

/**
 * Every metric of the server: its name, kind, labels and meaning. {@code docs/metrics.md} is generated from this enum,
 * and every dashboard query is held to it.
 */
public enum Metric {
    /** Decisions by outcome. */
    DECISIONS("countersign.decisions", Kind.COUNTER, "Decisions made", "outcome", "dialect"),
    /** Decisions by reason code. */
    REASONS("countersign.decision.reasons", Kind.COUNTER, "Decisions by first reason code", "outcome", "reason"),
    /** Denials for want of an attribute. */
    INDETERMINATE(
            "countersign.decisions.indeterminate",
            Kind.COUNTER,
            "Decisions in which a restricting rule could not be judged"),
    /** Answers by route, which is a path as the API declares it or {@code none}, and by status. */
    REQUESTS("countersign.http.requests", Kind.COUNTER, "Requests answered", "route", "status"),
    /** Time in the server from the whole request to the answer's departure. */
    REQUEST_SECONDS("countersign.http.request", Kind.TIMER, "Seconds from a request to the decisions it gets", "route"),
    /** One write of the log, per turn of a loop. */
    LOG_WRITE_SECONDS("countersign.log.write", Kind.TIMER, "Seconds for one write of the decision log"),
    /** One fsync of a log segment. */
    LOG_FSYNC_SECONDS("countersign.log.fsync", Kind.TIMER, "Seconds for one fsync of the decision log"),
    /** Entries written to the log. */
    LOG_ENTRIES("countersign.log.entries", Kind.COUNTER, "Entries written to the decision log"),
    /** Rows shipped to the database. */
    LOG_SHIPPED("countersign.log.shipped", Kind.COUNTER, "Entries shipped to the database"),
    /** Failures of the log. */
    LOG_FAILURES("countersign.log.failures", Kind.COUNTER, "Failures of the decision log", "failure"),
    /** Bytes that are in files and not yet in the database. */
    LOG_LAG_BYTES("countersign.log.lag.bytes", Kind.GAUGE, "Bytes of the decision log not yet in the database"),
    /** Age of the oldest entry that is not yet in the database. */
    LOG_LAG_SECONDS("countersign.log.lag.seconds", Kind.GAUGE, "Age of the oldest entry not yet in the database"),
    /** Clients that follow events. */
    EVENT_STREAMS("countersign.event.streams", Kind.GAUGE, "Clients that follow events"),
    /** Rules in force. */
    RULES("countersign.rules", Kind.GAUGE, "Rules in force", "pack"),
    /** Whether a pack is in force. */
    PACK("countersign.pack.info", Kind.GAUGE, "1 for each pack in force", "pack", "version", "digest"),
    /** Tenants in memory. */
    TENANTS_HELD("countersign.tenants.held", Kind.GAUGE, "Tenants of which what judges them is in memory"),
    /** What they take. */
    TENANTS_HELD_BYTES(
            "countersign.tenants.held.bytes", Kind.GAUGE, "About how many bytes of memory what judges tenants takes"),
    /** How long the certificate is good. */
    TLS_SECONDS(
            "countersign.tls.certificate.seconds",
            Kind.GAUGE,
            "Seconds until the certificate that the server shows expires; NaN without TLS_CERT"),
    /** Changes of the files that packs are read from. */
    PACK_RELOADS("countersign.pack.reloads", Kind.COUNTER, "Changes of the files under --packs", "result"),
    /** Whether the files are not what judges. */
    PACKS_REFUSED(
            "countersign.packs.refused",
            Kind.GAUGE,
            "1 while the files under --packs have mistakes and the rules before them judge"),
    /** What shadows of packs say, by what was answered. */
    SHADOW(
            "countersign.shadow.decisions",
            Kind.COUNTER,
            "Decisions that shadows of packs judged too",
            "answered",
            "said"),
    /** Decisions that shadows did not get to see, or of which what they said was lost. */
    SHADOW_DROPPED(
            "countersign.shadow.dropped",
            Kind.COUNTER,
            "Decisions of which it is not known what shadows say, as they were too many or took too long"),
    /** Access requests made. */
    APPROVALS_REQUESTED("countersign.approvals.requested", Kind.COUNTER, "Access requests made"),
    /** What became of access requests. */
    APPROVALS_ENDED("countersign.approvals.ended", Kind.COUNTER, "Access requests that ended", "status"),
    /** Access requests that one person approved alone. */
    APPROVALS_BREAK_GLASS(
            "countersign.approvals.break.glass",
            Kind.COUNTER,
            "Access requests that one person approved alone in an emergency"),
    /** Access requests that wait, as every server sees them. */
    APPROVALS_PENDING(
            "countersign.approvals.pending",
            Kind.GAUGE,
            "Access requests of all tenants that wait for reviews; every server says the same"),
    /** How long the oldest has waited. */
    APPROVALS_OLDEST_SECONDS(
            "countersign.approvals.oldest.seconds",
            Kind.GAUGE,
            "Age of the oldest access request that waits; every server says the same"),
    /** From the request to the decision. */
    APPROVAL_SECONDS("countersign.approval", Kind.TIMER, "Seconds from an access request to its decision", "status"),
    /** Approval events that are not in the chain yet. */
    EVENTS_UNSEALED(
            "countersign.events.unsealed",
            Kind.GAUGE,
            "Approval events that are not in the chain yet; every server says the same"),
    /** How long the oldest of them has waited. */
    EVENTS_UNSEALED_SECONDS(
            "countersign.events.unsealed.seconds",
            Kind.GAUGE,
            "Age of the oldest approval event that is not in the chain; every server says the same"),
    /** Age of the newest checkpoint. */
    CHECKPOINT_AGE_SECONDS(
            "countersign.checkpoint.age.seconds",
            Kind.GAUGE,
            "Age of the newest checkpoint, 0 before the first; none is made while nothing happens"),
    /** Checkpoints that could not be made. */
    CHECKPOINTS_FAILED(
            "countersign.checkpoints.failed",
            Kind.COUNTER,
            "Times that this server could not seal events or make a checkpoint that was due"),
    /** Age of what the server knows of keys and policies. */
    SNAPSHOT_AGE_SECONDS(
            "countersign.snapshot.age.seconds", Kind.GAUGE, "Seconds since the keys and policies were last confirmed"),
    /** Whether the server is ready. */
    READY("countersign.ready", Kind.GAUGE, "1 when the server takes requests");

    /** What kind of meter it is. */
    public enum Kind {
        /** Only grows. */
        COUNTER,
        /** Goes up and down. */
        GAUGE,
        /** Counts, sums and sorts durations into buckets. */
        TIMER
    }

    private final String id;
    private final Kind kind;
    private final String help;

    @SuppressWarnings("ImmutableEnumChecker") // an unmodifiable list of strings
    private final List<String> labels;

    Metric(String id, Kind kind, String help, String... labels) {
        this.id = id;
        this.kind = kind;
        this.help = help;
        this.labels = List.of(labels);
    }

    /** The meter's name, with dots. */
    public String id() {
        return id;
    }

    /** What kind of meter it is. */
    public Kind kind() {
        return kind;
    }

    /** What it measures, in its unit. */
    public String help() {
        return help;
    }

    /** The names of its labels. */
    public List<String> labels() {
        return labels;
    }

    /** The name that Prometheus knows it by; a timer has it with {@code _count}, {@code _sum} and {@code _bucket}. */
    public String prometheus() {
        String name = id.replace('.', '_');
        return switch (kind) {
            case COUNTER -> name + "_total";
            case TIMER -> name + "_seconds";
            case GAUGE -> name;
        };
    }
}
