package dev.countersign.server.approvals;

import dev.countersign.server.issuers.ReviewStatement;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.UUID;

/** The statements of who decided that were presented, within the transaction of the review that they are about. */
final class Statements {
    private static final int FORGOTTEN = 100;

    private Statements() {}

    /** Whether its issuer and its person still are what they were when it was read. */
    static Future<Boolean> stands(SqlConnection connection, String tenant, ReviewStatement said) {
        return connection
                .preparedQuery("select 1 from issuers i join tenants t on t.id = i.tenant"
                        + " join issuer_subjects s on s.issuer = i.id"
                        + " where i.tenant = $1 and i.id = $2 and i.disabled_at is null and t.suspended_at is null"
                        + " and s.sub = $3 and s.person_id = $4 and s.approves")
                .execute(Tuple.of(tenant, said.issuer(), said.sub(), said.person()))
                .map(found -> found.size() == 1);
    }

    /** Uses it up, and forgets some that are over; whether it was not used before. */
    static Future<Boolean> use(
            SqlConnection connection, String tenant, UUID request, ReviewStatement said, Instant now) {
        return connection
                .preparedQuery("delete from relayed_statements where (issuer, statement) in (select issuer, statement"
                        + " from relayed_statements where kept_until < $1 limit $2 for update skip locked)")
                .execute(Tuple.of(now.atOffset(ZoneOffset.UTC), FORGOTTEN))
                .compose(forgotten -> connection
                        .preparedQuery("insert into relayed_statements (tenant, issuer, statement, request, used_at,"
                                + " kept_until) values ($1, $2, $3, $4, $5, $6) on conflict do nothing")
                        .execute(Tuple.of(
                                tenant,
                                said.issuer(),
                                said.id(),
                                request,
                                now.atOffset(ZoneOffset.UTC),
                                said.until().atOffset(ZoneOffset.UTC))))
                .map(inserted -> inserted.rowCount() == 1);
    }
}
