package dev.countersign.server.webhooks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.countersign.server.egress.Answer;
import dev.countersign.server.egress.Call;
import dev.countersign.server.egress.Egress;
import dev.countersign.server.egress.RefusedDestinationException;
import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.webhooks.WebhookTerms.Format;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.sqlclient.Pool;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers events and the ends of tasks to webhooks, at least once each and in no promised order, as Standard Webhooks say: with {@code webhook-id}
 * (the id of the event or the task, the same in every attempt), {@code webhook-timestamp} and {@code webhook-signature}, and
 * with {@code webhook-key-id}, the webhook whose secret signs. What is not answered
 * with 2xx is tried again for about two days, then kept as dead. A 410 disables the webhook; {@code Retry-After} is honoured.
 *
 * <p>Any number of servers may do this on one database. A slow receiver holds up nobody but itself.
 */
public final class Deliveries {
    private static final Logger LOG = LoggerFactory.getLogger(Deliveries.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final int MAX_ANSWER = 1 << 20;
    private static final int OF_WEBHOOK = 8;
    private static final int WEBHOOKS = 50;
    private static final int UNDER_WAY = 400;
    private static final Duration KEPT = Duration.ofDays(30);

    private static final String PLAIN = "application/json";
    private static final Outcome UNFIT = Outcome.unsendable("the event cannot be put into the format of the webhook");

    private final DeliveryQueue queue;
    private final Egress egress;
    private final BiFunction<String, UUID, Future<@Nullable ObjectNode>> tasks;
    private final RandomGenerator random;
    private final InstantSource clock;
    private final AtomicInteger underWay = new AtomicInteger();
    private boolean taking;
    private boolean away;

    /**
     * The deliveries of the database behind {@code pool}.
     *
     * @param secrets reads what signs
     * @param tasks reads the body of the callback of a task, but for the state, as it is now
     * @param random spreads the attempts in time
     */
    public Deliveries(
            Pool pool,
            SecretBox secrets,
            Egress egress,
            BiFunction<String, UUID, Future<@Nullable ObjectNode>> tasks,
            RandomGenerator random,
            InstantSource clock) {
        this.queue = new DeliveryQueue(pool, secrets);
        this.egress = egress;
        this.tasks = tasks;
        this.random = random;
        this.clock = clock;
    }

    /** Delivers again and again until {@code vertx} is closed. */
    public void start(Vertx vertx, Duration interval) {
        var context = vertx.getOrCreateContext();
        context.runOnContext(started -> {
            vertx.setPeriodic(interval.toMillis(), timer -> proceed());
            vertx.setPeriodic(
                    Duration.ofHours(1).toMillis(),
                    timer -> forget().onFailure(
                                    e -> LOG.warn("old webhook deliveries could not be deleted: {}", e.toString())));
        });
    }

    private void proceed() {
        if (taking || underWay.get() >= UNDER_WAY) {
            return;
        }
        taking = true;
        take().onComplete(taken -> {
            taking = false;
            if (taken.failed() && !away) {
                LOG.warn("webhooks cannot be served: {}", taken.cause().toString());
            }
            away = taken.failed();
            if (taken.succeeded()) {
                Taken some = taken.result();
                send(some.claimed()).onComplete(sent -> {
                    if (some.count() > 0) {
                        proceed();
                    }
                });
            }
        });
    }

    /**
     * Queues what is new, makes the attempts that are due, and waits for their ends.
     *
     * @return how many events were looked at and attempts made; 0 if there was nothing to do
     */
    public Future<Integer> step() {
        return take().compose(taken -> send(taken.claimed()).map(sent -> taken.count()));
    }

    /**
     * Deletes the deliveries that ended over 30 days ago, in steps, unless another server is about it.
     *
     * @return how many
     */
    public Future<Integer> forget() {
        return queue.forget(now().minus(KEPT));
    }

    private record Taken(int looked, List<Claimed> claimed) {
        int count() {
            return looked + claimed.size();
        }
    }

    private Future<Taken> take() {
        return queue.enqueue(now())
                .compose(looked -> queue.claim(now(), OF_WEBHOOK, WEBHOOKS).map(claimed -> new Taken(looked, claimed)));
    }

    private Future<?> send(List<Claimed> claimed) {
        return Future.join(claimed.stream().map(this::deliver).toList());
    }

    private Future<?> deliver(Claimed claimed) {
        underWay.incrementAndGet();
        return attempt(claimed)
                .compose(outcome -> queue.settle(claimed, outcome, now()))
                .onComplete(settled -> {
                    underWay.decrementAndGet();
                    if (settled.failed()) {
                        LOG.warn(
                                "what came of event {} for webhook {} could not be noted, so it is sent again: {}",
                                claimed.eventId(),
                                claimed.webhook(),
                                settled.cause().toString());
                    }
                })
                .otherwiseEmpty();
    }

    private Future<Outcome> attempt(Claimed claimed) {
        try {
            return body(claimed)
                    .compose(body -> body == null
                            ? Future.succeededFuture(Outcome.unsendable(
                                    (claimed.task() == null ? "the event" : "the task") + " is kept no more"))
                            : attempt(claimed, body));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            return Future.succeededFuture(UNFIT);
        }
    }

    private Future<Outcome> attempt(Claimed claimed, Body body) {
        Call call;
        try {
            call = call(claimed, body, now());
        } catch (IllegalArgumentException e) {
            return Future.succeededFuture(UNFIT);
        }
        return egress.send(call)
                .transform(sent -> Future.succeededFuture(
                        sent.succeeded()
                                ? Outcome.of(answered(sent.result()), claimed.attempt(), now(), random)
                                : failed(claimed, sent.cause())));
    }

    private static Answer answered(@Nullable Answer answer) {
        return Objects.requireNonNull(answer);
    }

    private Outcome failed(Claimed claimed, Throwable failure) {
        // The tenant is not told where a name leads; whoever may change the rules is.
        if (failure instanceof RefusedDestinationException && claimed.attempt() == 1) {
            LOG.warn("webhook {} of {} is not called: {}", claimed.webhook(), claimed.tenant(), failure.getMessage());
        }
        return Outcome.of(failure, claimed.attempt(), now(), random);
    }

    private record Body(String type, String text) {}

    /** What is sent; {@code null} if it is kept no more. */
    private Future<@Nullable Body> body(Claimed claimed) throws JsonProcessingException {
        UUID task = claimed.task();
        if (task != null) {
            return tasks.apply(claimed.tenant(), task)
                    .map(found -> found == null ? null : new Body(PLAIN, callback(found, claimed.state())));
        }
        String event = claimed.body();
        if (event == null) {
            return Future.succeededFuture(null);
        }
        return Future.succeededFuture(
                claimed.format() == Format.SLACK
                        ? new Body(PLAIN, SlackText.body(event))
                        : new Body("application/cloudevents+json", event));
    }

    private static String callback(ObjectNode found, @Nullable String state) {
        return (state == null ? found : found.putRawValue("state", new RawValue(state))).toString();
    }

    private static Call call(Claimed claimed, Body what, Instant now) {
        byte[] body = what.text().getBytes(StandardCharsets.UTF_8);
        long timestamp = now.getEpochSecond();
        String signatures = claimed.secrets().stream()
                .map(secret -> secret.sign(claimed.eventId().toString(), timestamp, body))
                .collect(Collectors.joining(" "));
        Map<String, String> headers = Map.of(
                "content-type",
                what.type(),
                "user-agent",
                "Countersign",
                "webhook-id",
                claimed.eventId().toString(),
                "webhook-timestamp",
                Long.toString(timestamp),
                "webhook-signature",
                signatures,
                "webhook-key-id",
                claimed.webhook().toString());
        return new Call(HttpMethod.POST, claimed.url(), headers, Buffer.buffer(body), TIMEOUT, MAX_ANSWER);
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
