package dev.countersign.server.webhooks;

import dev.countersign.server.egress.Answer;
import dev.countersign.server.egress.RefusedDestinationException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What came of an attempt, and what follows from it.
 *
 * @param end where the delivery stands now
 * @param status the HTTP status; {@code null} if there was no answer
 * @param error why it failed, in words for the tenant, who need not know what is where in the operator's network
 * @param retryAt when it is tried again, if it waits
 * @param gone whether the receiver wants to be told of nothing any more
 */
record Outcome(
        Delivery.Status end,
        @Nullable Integer status,
        @Nullable String error,
        @Nullable Instant retryAt,
        boolean gone) {
    /** How long after each failed attempt the next one is; after the last of them there is none. */
    static final List<Duration> BACKOFF = List.of(
            Duration.ofSeconds(5),
            Duration.ofSeconds(30),
            Duration.ofMinutes(2),
            Duration.ofMinutes(10),
            Duration.ofHours(1),
            Duration.ofHours(6),
            Duration.ofHours(12),
            Duration.ofHours(24));

    private static final Duration LONGEST = Duration.ofHours(24);
    /** By how much of itself a wait may be longer, so that what failed together does not come together again. */
    private static final double JITTER = 0.2;

    private static final int GONE = 410;

    static Outcome of(Answer answer, int attempt, Instant now, RandomGenerator random) {
        if (answer.successful()) {
            return new Outcome(Delivery.Status.DELIVERED, answer.status(), null, null, false);
        }
        String error = "the receiver answered " + answer.status();
        if (answer.status() == GONE) {
            return new Outcome(Delivery.Status.DEAD, answer.status(), error, null, true);
        }
        return failed(answer.status(), error, retryAfter(answer.header("retry-after"), now), attempt, now, random);
    }

    static Outcome of(Throwable failure, int attempt, Instant now, RandomGenerator random) {
        return failed(null, words(failure), Duration.ZERO, attempt, now, random);
    }

    /** There is nothing that could be sent, now or later. */
    static Outcome unsendable(String error) {
        return new Outcome(Delivery.Status.DEAD, null, error, null, false);
    }

    private static Outcome failed(
            @Nullable Integer status, String error, Duration asked, int attempt, Instant now, RandomGenerator random) {
        if (attempt > BACKOFF.size()) {
            return new Outcome(Delivery.Status.DEAD, status, error, null, false);
        }
        Duration wait = BACKOFF.get(attempt - 1);
        if (asked.compareTo(wait) > 0) {
            wait = asked;
        }
        long jitter = (long) (wait.toMillis() * JITTER * random.nextDouble());
        return new Outcome(
                Delivery.Status.WAITING, status, error, now.plus(wait).plusMillis(jitter), false);
    }

    /** For how long the receiver asks not to be called: seconds or a date (RFC 9110, 10.2.3), not more than a day of it. */
    private static Duration retryAfter(@Nullable String header, Instant now) {
        if (header == null) {
            return Duration.ZERO;
        }
        Duration asked;
        try {
            asked = header.matches("\\d{1,9}")
                    ? Duration.ofSeconds(Long.parseLong(header))
                    : Duration.between(
                            now,
                            ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME)
                                    .toInstant());
        } catch (DateTimeException nonsense) {
            return Duration.ZERO;
        }
        return asked.compareTo(LONGEST) > 0 ? LONGEST : asked;
    }

    private static String words(Throwable failure) {
        if (failure instanceof RefusedDestinationException) {
            return "the operator of this server does not allow calls to this URL";
        }
        if (failure instanceof UnknownHostException) {
            return "the name of the receiver cannot be resolved";
        }
        if (failure instanceof ConnectException) {
            return "the receiver cannot be reached";
        }
        if (failure instanceof HttpTimeoutException) {
            return "the receiver did not answer in time";
        }
        return "the connection to the receiver failed";
    }
}
