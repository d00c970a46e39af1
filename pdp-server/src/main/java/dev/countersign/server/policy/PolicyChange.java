package dev.countersign.server.policy;

import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.server.decision.TenantPolicy;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import org.jspecify.annotations.Nullable;

/**
 * A change of what judges requests, not made yet: of a setting, a row, a pack or a registered action.
 *
 * @param <V> what it leaves behind
 */
public interface PolicyChange<V extends @Nullable Object> {
    /** What kind of thing it changes. */
    Proposal.Kind kind();

    /** Which one. */
    String name();

    /** What it does, as JSON of which the same change can be made again. */
    String json();

    /** Whether it needs a second person whatever it lets through. */
    boolean sensitive();

    /** A text that two changes share only if they do the same to the same state. */
    default String effect() {
        return kind().word() + " " + name() + " " + json();
    }

    /** Why it could let more through, or show more, though no request tells; {@code null} if it cannot. */
    default @Nullable String unseen(TenantState state) {
        return null;
    }

    /** What would judge if it were made. */
    TenantPolicy applied(TenantState state);

    /** The version of what it changes, 0 for none. */
    Future<Long> version(SqlConnection connection);

    /** Why it cannot be made as things stand, or {@code null} if it can. */
    default Future<@Nullable JsonMistake> refusal(SqlConnection connection) {
        return Future.succeededFuture();
    }

    /**
     * Whether it undoes the last change of all, so that what judged a moment ago judges again: what is only feared of that
     * need not be waited for.
     *
     * @param revision the number of the last change of what judges
     */
    default Future<Boolean> restores(SqlConnection connection, long revision) {
        return Future.succeededFuture(false);
    }

    /**
     * Makes it.
     *
     * @param connection the transaction in which it is made
     * @param by who makes it
     * @param proposal the proposal that was confirmed, if it needed a second person
     */
    Future<V> apply(SqlConnection connection, Author by, @Nullable Proposal proposal);
}
