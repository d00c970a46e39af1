package dev.countersign.server.webhooks;

import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.secrets.Secrets;
import dev.countersign.server.webhooks.WebhookTerms.Format;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deliveries that wait, shared by all servers. A server takes some for itself for a while; those that it does not settle
 * in that time, as it crashed, are taken again by whoever comes.
 */
final class DeliveryQueue {
    private static final Logger LOG = LoggerFactory.getLogger(DeliveryQueue.class);

    /** How long a server has a delivery for itself: well more than a call may take. */
    static final Duration LEASE = Duration.ofMinutes(2);

    private static final int WEBHOOKS = 100;
    private static final int EVENTS = 200;

    /**
     * The place among the events moves in the statement that queues them, so that none is left out or queued twice. A callback
     * follows the event by which the last request of its task ended: whoever sees that event sees that nothing of the task is
     * pending. Which task an event is of stands in its body, where no text of a user's can look like that member: quotes in
     * it are escaped.
     */
    private static final String ENQUEUE = """
            with due as (
              select w.tenant, w.id, w.seen, w.event_types from webhooks w
              where w.disabled_at is null
                and exists (select from events e where e.tenant = w.tenant and e.number > w.seen)
              limit $1 for no key update skip locked),
            page as (
              select d.tenant, d.id as webhook, d.event_types, e.number, e.id, e.type, e.task from due d
              cross join lateral (
                select number, id, type,
                  case when type in ('approval.approved', 'approval.break_glass', 'approval.denied', 'approval.expired',
                      'approval.cancelled')
                    then substring(body from '"task_id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')::uuid end as task
                from events
                where tenant = d.tenant and number > d.seen order by number limit $2) e),
            queued as (
              insert into webhook_deliveries (tenant, webhook, event, event_id, event_type, next_at, created_at)
              select p.tenant, p.webhook, p.number, p.id, p.type, $3, $3 from page p
              where exists (
                select from unnest(p.event_types) as t (pattern)
                where t.pattern in ('*', p.type)
                  or right(t.pattern, 2) = '.*' and starts_with(p.type, left(t.pattern, -1)))
              on conflict do nothing),
            ended as (
              delete from task_callbacks c
              using (select distinct tenant, webhook, task from page where task is not null) p
              cross join lateral (
                select bool_or(r.status = 'pending') as pending,
                  case when count(distinct r.status) = 1 then min(r.status) else 'partial' end as status
                from approval_requests r where r.tenant = p.tenant and r.task = p.task) s
              where c.tenant = p.tenant and c.task = p.task and c.webhook = p.webhook and not s.pending
              returning c.tenant, c.webhook, c.task, c.state, s.status = any(c.events) as wanted),
            called as (
              insert into webhook_deliveries
                (tenant, webhook, event, event_id, event_type, task, state, next_at, created_at)
              select tenant, webhook, nextval('events_number_seq'), task, 'callback', task, state, $3, $3 from ended
              where wanted),
            moved as (
              update webhooks w set seen = l.number
              from (select tenant, webhook, max(number) as number from page group by tenant, webhook) l
              where w.tenant = l.tenant and w.id = l.webhook)
            select count(*) from page
            """;

    private static final String CLAIM = """
            with free as (
              select w.tenant, w.id, $3 - b.busy as places from webhooks w
              cross join lateral (
                select count(*) as busy from webhook_deliveries d
                where d.tenant = w.tenant and d.webhook = w.id and d.leased_until > $1) b
              cross join lateral (
                select d.next_at from webhook_deliveries d
                where d.tenant = w.tenant and d.webhook = w.id and d.status = 'waiting' and d.next_at <= $1
                order by d.next_at limit 1) o
              where w.disabled_at is null and b.busy < $3
              order by o.next_at limit $4 for no key update of w skip locked),
            taken as (
              select d.tenant, d.webhook, d.event from free f
              cross join lateral (
                select tenant, webhook, event from webhook_deliveries
                where tenant = f.tenant and webhook = f.id and status = 'waiting' and next_at <= $1
                order by next_at, event limit f.places for update skip locked) d)
            update webhook_deliveries d
            set attempts = d.attempts + 1, leased_until = $2, next_at = $2, last_at = $1
            from taken t join webhooks w on w.tenant = t.tenant and w.id = t.webhook
            left join events e on e.tenant = t.tenant and e.number = t.event
            where d.tenant = t.tenant and d.webhook = t.webhook and d.event = t.event
            returning d.tenant, d.webhook, d.event, d.event_id, d.attempts, w.url, w.format, w.secret,
              case when w.previous_until > $1 then w.previous_secret end as previous, e.body,
              d.task, d.state
            """;

    /** Whoever has lost a claim in the meantime settles nothing. */
    private static final String SETTLE =
            " last_status = $5, last_error = $6, leased_until = null where tenant = $1 and webhook = $2"
                    + " and event = $3 and attempts = $4 and status = 'waiting' and leased_until is not null";

    private static final String END = "update webhook_deliveries set status = $7, ended_at = $8," + SETTLE;
    private static final String RETRY = "update webhook_deliveries set next_at = $7," + SETTLE;
    private static final String GONE = "update webhooks set disabled_at = $3, disabled_by = 'receiver'"
            + " where tenant = $1 and id = $2 and disabled_at is null";

    private static final String FORGET = "delete from webhook_deliveries where ctid = any(array(select ctid from"
            + " webhook_deliveries where status <> 'waiting' and ended_at < $1 order by ended_at limit $2 for update))";

    private final Pool pool;
    private final SecretBox secrets;

    DeliveryQueue(Pool pool, SecretBox secrets) {
        this.pool = pool;
        this.secrets = secrets;
    }

    /** Queues new events for whoever wants them; how many were looked at. */
    Future<Integer> enqueue(Instant now) {
        return pool.preparedQuery(ENQUEUE)
                .execute(Tuple.of(WEBHOOKS, EVENTS, time(now)))
                .map(rows -> Math.toIntExact(rows.iterator().next().getLong(0)));
    }

    /** Takes what is due, with what others have under way at most so many of each webhook. */
    Future<List<Claimed>> claim(Instant now, int ofWebhook, int webhooks) {
        return pool.preparedQuery(CLAIM)
                .execute(Tuple.of(time(now), time(now.plus(LEASE)), (long) ofWebhook, webhooks))
                .map(rows -> {
                    var claimed = new ArrayList<Claimed>(rows.size());
                    for (Row row : rows) {
                        try {
                            claimed.add(claimed(row));
                        } catch (IllegalStateException e) {
                            // The others go on, and this one waits for a server that can read it.
                            LOG.error("a webhook is not told of an event: {}", e.getMessage());
                        }
                    }
                    return claimed;
                });
    }

    private Claimed claimed(Row row) {
        String[] place = Secrets.ofWebhook(
                row.getString("tenant"), row.getUUID("webhook").toString());
        List<Secret> signing = Stream.of(row.getString("secret"), row.getString("previous"))
                .filter(Objects::nonNull)
                .map(stored -> new Secret(secrets.open(stored, place)))
                .toList();
        return new Claimed(
                row.getString("tenant"),
                row.getUUID("webhook"),
                row.getLong("event"),
                row.getUUID("event_id"),
                row.getInteger("attempts"),
                URI.create(row.getString("url")),
                Format.valueOf(row.getString("format").toUpperCase(Locale.ROOT)),
                signing,
                row.getString("body"),
                row.getUUID("task"),
                row.getString("state"));
    }

    /** Settles a claim: notes what came of the attempt, and what follows. */
    Future<?> settle(Claimed claimed, Outcome outcome, Instant now) {
        Tuple values = Tuple.of(
                claimed.tenant(),
                claimed.webhook(),
                claimed.event(),
                claimed.attempt(),
                outcome.status(),
                outcome.error());
        @Nullable Instant retry = outcome.retryAt();
        if (outcome.end() == Delivery.Status.WAITING) {
            values.addValue(time(Objects.requireNonNull(retry)));
            return pool.preparedQuery(RETRY).execute(values);
        }
        values.addString(outcome.end().word()).addValue(time(now));
        if (!outcome.gone()) {
            return pool.preparedQuery(END).execute(values);
        }
        return pool.withTransaction(connection -> connection
                .preparedQuery(GONE)
                .execute(Tuple.of(claimed.tenant(), claimed.webhook(), time(now)))
                .compose(disabled -> connection.preparedQuery(END).execute(values)));
    }

    /**
     * Deletes what ended before an instant, in steps, unless another server is about it.
     *
     * @return how many
     */
    Future<Integer> forget(Instant before) {
        return Steps.all(() -> pool.withTransaction(connection -> connection
                .query("select pg_try_advisory_xact_lock(hashtext('countersign webhook deliveries'))")
                .execute()
                .compose(tried -> tried.iterator().next().getBoolean(0)
                        ? connection
                                .preparedQuery(FORGET)
                                .execute(Tuple.of(time(before), Steps.ROWS))
                                .map(RowSet::rowCount)
                        : Future.succeededFuture(0))));
    }

    private static OffsetDateTime time(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
