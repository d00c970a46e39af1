package dev.countersign.server.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.facts.Setting;
import dev.countersign.server.decision.ServerSettings;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.settings.SettingsStore;
import dev.countersign.server.settings.StoredSetting;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A tenant's value of a setting, given or taken away. */
public final class SettingChange implements PolicyChange<@Nullable StoredSetting> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String tenant;
    private final String name;
    private final @Nullable Object value;

    /**
     * The change that gives {@code tenant} this value.
     *
     * @param value as {@link Setting#read} gives it, or {@code null} to take the tenant's own value away
     */
    public SettingChange(String tenant, String name, @Nullable Object value) {
        this.tenant = tenant;
        this.name = name;
        this.value = value;
    }

    /** The change that a proposal holds, or {@code null} if nothing declares the setting so any more. */
    public static @Nullable SettingChange read(Proposal proposal, TenantState now) {
        try {
            JsonNode given = JSON.readTree(proposal.change()).get("value");
            return new SettingChange(
                    String.valueOf(proposal.tenant()),
                    proposal.name(),
                    given == null || given.isNull() ? null : now.known().value(proposal.name(), given));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            return null;
        }
    }

    @Override
    public Proposal.Kind kind() {
        return Proposal.Kind.SETTING;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String json() {
        var change = JSON.createObjectNode();
        return (value == null ? change.putNull("value") : change.set("value", Setting.json(value))).toString();
    }

    @Override
    public boolean sensitive() {
        return ServerSettings.SENSITIVE.contains(name);
    }

    @Override
    public @Nullable String unseen(TenantState state) {
        return !name.equals(ServerSettings.REDACTED.name())
                        || redacted(state, values(state))
                                .containsAll(redacted(state, state.settings().values()))
                ? null
                : "the decision log would show what it keeps as digests now";
    }

    private static Set<Object> redacted(TenantState state, Map<String, Object> values) {
        return ServerSettings.REDACTED.inForce(state.known().env(), values).value() instanceof List<?> names
                ? new HashSet<>(names)
                : Set.of();
    }

    @Override
    public TenantPolicy applied(TenantState state) {
        return state.with(values(state));
    }

    private Map<String, Object> values(TenantState state) {
        var values = new HashMap<>(state.settings().values());
        if (value == null) {
            values.remove(name);
        } else {
            values.put(name, value);
        }
        return values;
    }

    @Override
    public Future<Long> version(SqlConnection connection) {
        return SettingsStore.version(connection, tenant, name);
    }

    @Override
    public Future<@Nullable StoredSetting> apply(SqlConnection connection, Author by, @Nullable Proposal proposal) {
        return SettingsStore.write(
                connection,
                tenant,
                name,
                value == null ? null : Setting.json(value).toString(),
                by.key(),
                by.at(),
                proposal == null ? null : proposal.id());
    }
}
