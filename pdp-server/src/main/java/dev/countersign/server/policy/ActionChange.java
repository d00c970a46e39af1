package dev.countersign.server.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.server.actions.Action;
import dev.countersign.server.actions.ActionJson;
import dev.countersign.server.actions.ActionStore;
import dev.countersign.server.actions.StoredAction;
import dev.countersign.server.decision.TenantPolicy;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import java.util.ArrayList;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An entry of a tenant's registry of actions, written or taken away. What of it takes a second person, the registry says. */
public final class ActionChange implements PolicyChange<@Nullable StoredAction> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String tenant;
    private final String name;
    private final @Nullable Action action;

    private ActionChange(String tenant, String name, @Nullable Action action) {
        this.tenant = tenant;
        this.name = name;
        this.action = action;
    }

    /** The change that writes {@code action}, whatever version it says; {@link ActionJson} has found no mistakes in it. */
    public static ActionChange write(String tenant, Action action) {
        return new ActionChange(tenant, action.name(), action);
    }

    /** The change that takes an entry away. */
    public static ActionChange delete(String tenant, String name) {
        return new ActionChange(tenant, name, null);
    }

    /** The change that a proposal holds, or {@code null} if its entry could not be used any more. */
    public static @Nullable ActionChange read(Proposal proposal, TenantState now) {
        try {
            var json = JSON.readTree(proposal.change()).get("action");
            if (json == null || json.isNull()) {
                return delete(now.tenant(), proposal.name());
            }
            var mistakes = new ArrayList<JsonMistake>();
            Action action = ActionJson.read(proposal.name(), json, mistakes);
            return mistakes.isEmpty() ? write(now.tenant(), action) : null;
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    @Override
    public Proposal.Kind kind() {
        return Proposal.Kind.ACTION;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String json() {
        var change = JSON.createObjectNode();
        return (action == null ? change.putNull("action") : change.set("action", ActionJson.write(action))).toString();
    }

    @Override
    public boolean sensitive() {
        return false;
    }

    /** A first entry overrules what callers say of the class; of any other, the registry itself says what it loosens. */
    @Override
    public @Nullable String unseen(TenantState state) {
        return action == null || state.policy().actions().find(name) != null
                ? null
                : new ClassRules(state.policy()).letOffBy(action.actionClass());
    }

    @Override
    public TenantPolicy applied(TenantState state) {
        return state.policy().with(state.policy().actions().with(name, action));
    }

    @Override
    public Future<Long> version(SqlConnection connection) {
        return ActionStore.version(connection, tenant, name);
    }

    @Override
    public Future<@Nullable JsonMistake> refusal(SqlConnection connection) {
        return action == null ? Future.succeededFuture() : ActionStore.exceeded(connection, tenant, action);
    }

    @Override
    public Future<@Nullable StoredAction> apply(SqlConnection connection, Author by, @Nullable Proposal proposal) {
        UUID confirmed = proposal == null ? null : proposal.id();
        return action == null
                ? ActionStore.delete(connection, tenant, name, by.key(), by.at(), confirmed)
                        .mapEmpty()
                : ActionStore.write(connection, tenant, action, by.key(), by.at(), confirmed)
                        .map(stored -> (@Nullable StoredAction) stored);
    }
}
