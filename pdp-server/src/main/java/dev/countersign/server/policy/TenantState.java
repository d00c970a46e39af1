package dev.countersign.server.policy;

import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowTable;
import dev.countersign.rules.rows.RowVocabulary;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.packs.PackSet;
import dev.countersign.server.settings.KnownSettings;
import dev.countersign.server.settings.TenantSettings;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Everything that a tenant has made of the policies, of one moment. Immutable. Of the operator, the rows and packs that judge
 * every tenant, and nothing else.
 *
 * @param tenant the tenant; empty for the operator
 * @param revision the number of the last change that is in it
 * @param packs the packs that judge it
 * @param settings what it has set
 * @param everybodys of a tenant, the operator's rows
 * @param rows its rows, by id
 * @param users the users to whom its default set does not apply
 * @param policy what judges its requests
 */
public record TenantState(
        String tenant,
        long revision,
        PlanePacks packs,
        TenantSettings settings,
        List<PolicyRow> everybodys,
        List<PolicyRow> rows,
        Set<String> users,
        TenantPolicy policy) {
    /** About how many bytes a rule takes in a set of packs that is a tenant's own. */
    private static final long RULE_BYTES = 10_000;

    /** What it may set. */
    public KnownSettings known() {
        return packs.set().known();
    }

    /** What its rows may name. */
    public RowVocabulary vocabulary() {
        return packs.set().vocabulary();
    }

    /** The same, judged by {@code other}. */
    TenantState with(TenantPolicy other) {
        return new TenantState(tenant, revision, packs, settings, everybodys, rows, users, other);
    }

    /** What would judge with other values. */
    TenantPolicy with(Map<String, Object> values) {
        return TenantPolicy.of(policy.base(), known().env(), values, policy.tables())
                .with(policy.actions());
    }

    /** What would judge with other rows. */
    TenantPolicy with(List<PolicyRow> other) {
        boolean operator = tenant.isEmpty();
        RowTable table = RowTable.of(policy.base(), vocabulary(), operator ? null : tenant, other, users);
        List<RowTable> tables =
                operator ? List.of(table) : List.of(policy.tables().get(0), table);
        return TenantPolicy.of(policy.base(), known().env(), settings.values(), tables)
                .with(policy.actions());
    }

    /** What would judge with other packs. */
    TenantPolicy with(PackSet set) {
        boolean operator = tenant.isEmpty();
        RowTable first = RowTable.of(set.base(), set.vocabulary(), null, operator ? rows : everybodys, Set.of());
        List<RowTable> tables = operator
                ? List.of(first)
                : List.of(first, RowTable.of(set.base(), set.vocabulary(), tenant, rows, users));
        Map<String, Object> values =
                set.known().read(tenant, settings.stored(), TenantSettings.NONE).values();
        return TenantPolicy.of(set.base(), set.known().env(), values, tables).with(policy.actions());
    }

    /** About how many bytes of memory it takes. */
    long weight() {
        List<RowTable> tables = policy.tables();
        long values = settings.stored().values().stream()
                .mapToLong(stored -> 500 + 4L * stored.json().length())
                .sum();
        long stored = rows.stream().mapToLong(TenantState::weight).sum();
        long exempt = users.stream().mapToLong(user -> 100 + 2L * user.length()).sum();
        return 1_000
                + values
                + stored
                + exempt
                + RULE_BYTES * policy.base().rules().size() * sets()
                + tables.get(tables.size() - 1).weight()
                + policy.actions().weight();
    }

    private static long weight(PolicyRow row) {
        return 400
                + (row.ruleExpr() == null ? 0 : 4L * row.ruleExpr().toString().length())
                + (row.description() == null ? 0 : row.description().length());
    }

    /** How many sets of packs it has for itself. */
    private int sets() {
        return (packs.own().isEmpty() ? 0 : 1) + packs.shadows().size();
    }
}
