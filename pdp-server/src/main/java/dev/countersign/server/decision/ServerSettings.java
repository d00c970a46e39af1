package dev.countersign.server.decision;

import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.verdict.Outcome;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The settings that the server itself declares, beside those of the packs. */
public final class ServerSettings {
    private static final String PACK = "countersign";
    private static final List<String> OUTCOMES =
            Arrays.stream(Outcome.values()).map(Outcome::word).toList();

    /** What a tenant keeps out of its log. */
    public static final NamedList REDACTED = new NamedList(
            PACK,
            "log.redaction",
            List.of(),
            "LOG_REDACTION",
            "Names of members whose values the decision log holds as digests, beside those that name credentials.");

    /** What a call comes to of which no rule says anything. */
    public static final Param DEFAULT_DECISION = new Param(
            PACK,
            "default_decision",
            Type.TEXT,
            Outcome.DENY.word(),
            "POLICY_DEFAULT_DECISION",
            "What a call comes to of which no rule and no row says anything: deny, require_approval or allow.");

    /** What a call comes to when the engine fails (seed 002). */
    public static final Param ON_ERROR = new Param(
            PACK,
            "on_error",
            Type.TEXT,
            Outcome.DENY.word(),
            "POLICY_ON_ERROR",
            "What a call comes to where the server itself fails to judge it: deny, require_approval or allow. It never covers"
                    + " a missing attribute, a deny that was found, or a log that cannot be written.");

    /** All of them. */
    public static final List<Declaration> ALL = List.of(REDACTED, DEFAULT_DECISION, ON_ERROR);

    /** Those that need a second person whatever they let through. */
    public static final Set<String> SENSITIVE = Set.of(DEFAULT_DECISION.name(), ON_ERROR.name());

    private ServerSettings() {}

    /**
     * Refuses a value that a setting of the server's own cannot have.
     *
     * @param value of the type that is declared
     * @throws IllegalArgumentException if it is none of the words that it may be; the message says which
     */
    public static void check(String name, Object value) {
        if (SENSITIVE.contains(name) && !OUTCOMES.contains(String.valueOf(value))) {
            throw new IllegalArgumentException("`" + name + "` is one of " + String.join(", ", OUTCOMES));
        }
    }

    /** The outcome that a setting names, of the tenant, the environment, or by default. */
    static Outcome outcome(Param setting, Map<String, String> env, Map<String, Object> own) {
        Object value = setting.inForce(env, own).value();
        check(setting.name(), value);
        return Arrays.stream(Outcome.values())
                .filter(outcome -> outcome.word().equals(value))
                .findFirst()
                .orElse(Outcome.DENY);
    }
}
