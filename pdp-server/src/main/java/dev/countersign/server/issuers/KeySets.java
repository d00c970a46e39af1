package dev.countersign.server.issuers;

import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.egress.Answer;
import dev.countersign.server.egress.Call;
import dev.countersign.server.egress.Egress;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The published keys of all issuers, read when an issuer is registered or changed, every ten minutes, and when a token names
 * a key that is not known. While they cannot be read, those that were read last are good for {@link #MOST_AGE}. All methods
 * may be called from any thread.
 */
public final class KeySets {
    /** How long keys are taken after they were last read. */
    public static final Duration MOST_AGE = Duration.ofHours(1);

    private static final Logger LOG = LoggerFactory.getLogger(KeySets.class);
    private static final Duration INTERVAL = Duration.ofMinutes(10);
    /** How often tokens, which anybody can send, may have the keys of one issuer read. */
    private static final Duration ASKED_INTERVAL = Duration.ofSeconds(10);

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Duration FIRST = Duration.ofSeconds(3);
    private static final int MOST_BYTES = 256 * 1024;

    private final Egress egress;
    private final InstantSource clock;
    private final Map<UUID, Source> sources = new ConcurrentHashMap<>();

    /** Keys that are read through {@code egress}; {@code clock} tells how old they are. */
    public KeySets(Egress egress, InstantSource clock) {
        this.egress = egress;
        this.clock = clock;
    }

    /**
     * What this server knows of an issuer's keys.
     *
     * @param keys how many it takes
     * @param read when they were last read; {@code null} for never
     * @param problem why they could not be read the last time that it was tried; {@code null} if they could
     */
    public record State(
            int keys, @Nullable Instant read, @Nullable String problem) {
        private static final State UNKNOWN = new State(0, null, null);
    }

    /** Reads the keys of issuers that are new or publish them elsewhere now, and forgets those of all but these. */
    public void follow(Issuers issuers) {
        Map<UUID, URI> wanted = issuers.all().stream()
                .collect(Collectors.toMap(Issuer::id, issuer -> issuer.terms().jwksUri()));
        sources.keySet().retainAll(wanted.keySet());
        wanted.forEach((id, uri) -> {
            Source known = sources.get(id);
            if (known == null || !known.uri.equals(uri)) {
                var source = new Source(id, uri);
                sources.put(id, source);
                source.read();
            }
        });
    }

    /**
     * Keeps reading until {@code vertx} is closed.
     *
     * @return done when all keys were tried to be read once, after three seconds at most; never failed
     */
    public Future<Void> start(Vertx vertx) {
        vertx.setPeriodic(INTERVAL.toMillis(), timer -> sources.values().forEach(Source::read));
        return Future.join(sources.values().stream().map(Source::read).toList())
                .timeout(FIRST.toMillis(), TimeUnit.MILLISECONDS)
                .transform(tried -> Future.succeededFuture());
    }

    /** The keys that an issuer's tokens may be signed with now. */
    KeySet of(UUID issuer) {
        Source source = sources.get(issuer);
        return source == null ? KeySet.NONE : source.keys(clock.instant());
    }

    /** Reads an issuer's keys if that was not asked for lately; whether they are being read. */
    boolean ask(UUID issuer) {
        Source source = sources.get(issuer);
        return source != null && source.ask(clock.instant());
    }

    /** What is known of an issuer's keys; nothing of one that is disabled. */
    public State state(UUID issuer) {
        Source source = sources.get(issuer);
        return source == null ? State.UNKNOWN : source.state(clock.instant());
    }

    private final class Source {
        private final UUID issuer;
        private final URI uri;
        private Buffer text = Buffer.buffer();
        private KeySet keys = KeySet.NONE;
        private @Nullable Instant read;
        private @Nullable Instant asked;
        private @Nullable String problem;
        private @Nullable Future<Void> reading;

        Source(UUID issuer, URI uri) {
            this.issuer = issuer;
            this.uri = uri;
        }

        synchronized KeySet keys(Instant now) {
            return read == null || read.plus(MOST_AGE).isBefore(now) ? KeySet.NONE : keys;
        }

        synchronized State state(Instant now) {
            return new State(keys(now).size(), read, problem);
        }

        synchronized boolean ask(Instant now) {
            if (reading != null) {
                return true;
            }
            if (asked != null && now.isBefore(asked.plus(ASKED_INTERVAL))) {
                return false;
            }
            asked = now;
            read();
            return true;
        }

        synchronized Future<Void> read() {
            if (reading != null) {
                return reading;
            }
            Instant at = clock.instant();
            Future<Void> mine = egress.send(new Call(
                            HttpMethod.GET,
                            uri,
                            Map.of("accept", "application/jwk-set+json, application/json"),
                            Buffer.buffer(),
                            TIMEOUT,
                            MOST_BYTES))
                    .<Void>map(answer -> {
                        took(answer, at);
                        return null;
                    })
                    .otherwise(failure -> {
                        failed(failure.toString());
                        return null;
                    });
            if (!mine.isComplete()) {
                reading = mine;
            }
            return mine;
        }

        private synchronized void took(Answer answer, Instant at) {
            if (answer.status() != 200) {
                failed("the answer has the status " + answer.status());
                return;
            }
            try {
                // The same text leaves the same keys, so that what was verified by them need not be once more.
                if (!answer.body().equals(text)) {
                    keys = KeySet.read(answer.body().getBytes());
                    text = answer.body();
                }
                read = at;
                problem = null;
                reading = null;
            } catch (BadCall e) {
                failed(String.valueOf(e.getMessage()));
            }
        }

        private synchronized void failed(String why) {
            if (problem == null) {
                LOG.warn("the keys of the issuer {} could not be read from {}: {}", issuer, uri, why);
            }
            problem = why;
            reading = null;
        }
    }
}
