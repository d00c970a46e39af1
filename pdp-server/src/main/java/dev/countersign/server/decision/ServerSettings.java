package dev.countersign.server.decision;

import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.verdict.Outcome;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

    /** How many persons at least approve, whatever a template says. */
    public static final Param LEAST_REVIEWS = new Param(
            PACK,
            "approvals.least_reviews",
            Type.NUMBER,
            1.0,
            "APPROVALS_LEAST_REVIEWS",
            "How many persons at least approve in every stage of a template, from 1 to 10: it raises what templates ask for.");

    /** How long reviewers have, by action (seed 004). */
    public static final NamedList TIMEOUTS = new NamedList(
            PACK,
            "approvals.timeouts",
            List.of("*code*=30m", "*deploy*=1h", "*billing*=2h", "*delet*=30m", "*=1h"),
            "APPROVALS_TIMEOUTS",
            "How long reviewers have by the template `default`, by action: entries such as deploy*=1h, of which the first counts"
                    + " that fits. It never gives them more time than the template.");

    /** All of them. */
    public static final List<Declaration> ALL = List.of(REDACTED, DEFAULT_DECISION, ON_ERROR, LEAST_REVIEWS, TIMEOUTS);

    private static final Set<String> OUTCOME = Set.of(DEFAULT_DECISION.name(), ON_ERROR.name());
    private static final double MOST_REVIEWS = 10;
    private static final Pattern TIMEOUT = Pattern.compile("([^=]{1,200})=([1-9][0-9]{0,4})([smhd])");

    /** Those that need a second person whatever they let through. */
    public static final Set<String> SENSITIVE = Set.of(DEFAULT_DECISION.name(), ON_ERROR.name(), LEAST_REVIEWS.name());

    private ServerSettings() {}

    /**
     * Refuses a value that a setting of the server's own cannot have.
     *
     * @param value of the type that is declared
     * @throws IllegalArgumentException if it is none of the words that it may be; the message says which
     */
    public static void check(String name, Object value) {
        if (OUTCOME.contains(name) && !OUTCOMES.contains(String.valueOf(value))) {
            throw new IllegalArgumentException("`" + name + "` is one of " + String.join(", ", OUTCOMES));
        }
        if (name.equals(LEAST_REVIEWS.name())
                && !(value instanceof Double number
                        && number >= 1
                        && number <= MOST_REVIEWS
                        && number == Math.rint(number))) {
            throw new IllegalArgumentException("`" + name + "` is a whole number from 1 to 10");
        }
        if (name.equals(TIMEOUTS.name())) {
            timeouts((List<?>) value);
        }
    }

    /** How long reviewers have, by the pattern of actions, the first that fits first. */
    static Map<String, Duration> timeouts(Map<String, String> env, Map<String, Object> own) {
        return timeouts((List<?>) TIMEOUTS.inForce(env, own).value());
    }

    private static Map<String, Duration> timeouts(List<?> entries) {
        var timeouts = new LinkedHashMap<String, Duration>();
        for (Object entry : entries) {
            Matcher written = TIMEOUT.matcher(String.valueOf(entry));
            if (!written.matches()) {
                throw new IllegalArgumentException("an entry of `" + TIMEOUTS.name()
                        + "` is a pattern of actions and a time, such as deploy*=30m");
            }
            long amount = Long.parseLong(written.group(2));
            timeouts.putIfAbsent(
                    written.group(1).trim(),
                    switch (written.group(3)) {
                        case "s" -> Duration.ofSeconds(amount);
                        case "m" -> Duration.ofMinutes(amount);
                        case "h" -> Duration.ofHours(amount);
                        default -> Duration.ofDays(amount);
                    });
        }
        return timeouts;
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
