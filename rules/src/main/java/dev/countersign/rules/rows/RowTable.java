package dev.countersign.rules.rows;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Layout;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Sha256;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The enabled rows of one tenant, or those of the operator, ready to judge requests beside the rules of one base. An action
 * finds its rows by a hash of its name, and rows whose action is a pattern by what stands before the first {@code *}.
 * Immutable, and shared by all threads.
 */
public final class RowTable {
    /** Rows of a tenant come after those of the operator, however many there are. */
    private static final int FIRST_OF_TENANT = 1 << 30;

    /**
     * A row that can no longer be used as it is stored; it fails closed.
     *
     * @param row the row
     * @param mistakes what is wrong with it
     */
    public record Unfit(PolicyRow row, List<JsonMistake> mistakes) {}

    private final @Nullable String tenant;
    private final Layout layout;
    private final List<CompiledRule> rules;
    private final List<Unfit> unfit;
    private final Map<String, TestTree> exact;
    private final PrefixIndex<TestTree> patterns;
    private final boolean byDefault;
    private final Set<String> users;
    private final int userSlot;
    private final long weight;
    private final @Nullable String digest;

    private RowTable(RuleBase base, @Nullable String tenant, Set<String> users, Building built) {
        this.tenant = tenant;
        this.layout = base.layout();
        this.rules = List.copyOf(built.rules);
        this.unfit = List.copyOf(built.unfit);
        this.exact = built.grown(built.exact);
        this.patterns = new PrefixIndex<>(built.grown(built.patterns));
        this.byDefault = built.byDefault;
        this.users = byDefault ? Set.copyOf(users) : Set.of();
        this.userSlot = layout.slot(BuiltIn.USER.attribute());
        this.weight = built.weight;
        this.digest = built.rules.isEmpty()
                ? null
                : Sha256.hex(built.versions + String.join("\n", new TreeSet<>(this.users)));
    }

    /**
     * The table of some rows. It always builds: a row that does not fit fails closed, and is listed by {@link #unfit}.
     *
     * @param base the rules beside which it judges
     * @param vocabulary what rows may use: that of the base's packs
     * @param tenant the tenant, or {@code null} for the operator's rows
     * @param rows all rows of that tenant, disabled ones too, in the order in which they are to be named
     * @param users users to whom the tenant's default set does not apply, beside those who have rows
     * @throws IllegalArgumentException if a row is another tenant's
     */
    public static RowTable of(
            RuleBase base, RowVocabulary vocabulary, @Nullable String tenant, List<PolicyRow> rows, Set<String> users) {
        var built = new Building(base, vocabulary, tenant == null ? base.rules().size() : FIRST_OF_TENANT);
        var own = new HashSet<>(users);
        for (PolicyRow row : rows) {
            if (!Objects.equals(tenant, row.tenant())) {
                throw new IllegalArgumentException("the policy " + row.id() + " is another tenant's");
            }
            if (row.scope() == PolicyRow.Scope.USER && row.scopeRef() != null && !row.byDefault()) {
                own.add(row.scopeRef());
            }
            if (row.enabled()) {
                built.add(row);
            }
        }
        return new RowTable(base, tenant, own, built);
    }

    /** What a table is made of while it grows; equal parts of rows are held once. */
    private static final class Building {
        final List<CompiledRule> rules = new ArrayList<>();
        final List<Unfit> unfit = new ArrayList<>();
        final Map<String, TestTree.Growing> exact = new HashMap<>();
        final Map<String, TestTree.Growing> patterns = new HashMap<>();
        boolean byDefault;
        long weight;
        final StringBuilder versions = new StringBuilder();

        private final RowReader reader;
        private final Conditions conditions;
        private final int first;
        private final Map<Expr, Expr> exprs = new HashMap<>();
        private final Map<List<Effect>, List<Effect>> effects = new HashMap<>();

        Building(RuleBase base, RowVocabulary vocabulary, int first) {
            this.reader = new RowReader(vocabulary);
            this.conditions = new Conditions(base.layout());
            this.first = first;
        }

        void add(PolicyRow row) {
            versions.append(row.id()).append(' ').append(row.version()).append('\n');
            RowReader.Read read = reader.read(row);
            if (!read.fits()) {
                unfit.add(new Unfit(row, read.mistakes()));
            }
            Rule rule = shared(read.rule());
            var compiled = new CompiledRule(rule, first + rules.size(), conditions::of);
            rules.add(compiled);
            boolean settled = !row.pattern();
            List<Expr> tests = rule.conditions().stream()
                    .filter(condition -> !(settled && action(condition, row.actionPattern())))
                    .toList();
            String key = settled
                    ? row.actionPattern()
                    : row.actionPattern().substring(0, row.actionPattern().indexOf('*'));
            (settled ? exact : patterns)
                    .computeIfAbsent(key, action -> new TestTree.Growing())
                    .add(tests, compiled, row.byDefault());
            byDefault |= row.byDefault();
            weight += weight(row, rule);
        }

        Map<String, TestTree> grown(Map<String, TestTree.Growing> growing) {
            return growing.entrySet().stream()
                    .collect(Collectors.toMap(
                            Map.Entry::getKey, each -> each.getValue().grown(conditions)));
        }

        /** The equality with its action, by which a row is found. */
        private static boolean action(Expr condition, String action) {
            return condition instanceof Expr.Compare compare
                    && compare.op() == Expr.Comparison.EQ
                    && compare.left() instanceof Operand.Field field
                    && field.attribute().builtIn() == BuiltIn.ACTION
                    && compare.right() instanceof Operand.Literal literal
                    && literal.value().equals(action);
        }

        private Rule shared(Rule rule) {
            List<Expr> conditions = rule.conditions().stream()
                    .map(condition -> exprs.computeIfAbsent(condition, first -> first))
                    .toList();
            return new Rule(
                    rule.pack(),
                    rule.name(),
                    rule.file(),
                    rule.line(),
                    rule.meta(),
                    conditions,
                    effects.computeIfAbsent(rule.effects(), first -> first));
        }

        /** Some bytes for each object that a row may not share with others, and for what its texts come to. */
        private static long weight(PolicyRow row, Rule rule) {
            long[] sum = {
                600
                        + row.name().length()
                        + (row.reason() == null ? 0 : row.reason().length())
            };
            rule.conditions()
                    .forEach(condition -> condition.tests(test -> {
                        sum[0] += 150;
                        if (test instanceof Expr.Matches matches) {
                            sum[0] += 64L * matches.regex().pattern().programSize();
                        } else if (test instanceof Expr.In in) {
                            in.values()
                                    .forEach(value ->
                                            sum[0] += 150 + value.text().length());
                        }
                    }));
            return sum[0]
                    + (row.ruleExpr() == null ? 0 : row.ruleExpr().toString().length());
        }
    }

    /**
     * Adds what the rows say of a request to what the rules say.
     *
     * @throws IllegalArgumentException if the request was made in another tenant or for another rule base
     */
    public void judge(Evaluation evaluation) {
        Request request = evaluation.request();
        boolean withDefaults = defaults(request);
        visit(request, rows -> rows.judge(evaluation, withDefaults));
    }

    /** The rows that are tested for a request: their action is the request's; in no order. */
    public List<CompiledRule> candidates(Request request) {
        boolean withDefaults = defaults(request);
        var out = new ArrayList<CompiledRule>();
        visit(request, rows -> rows.each(out::add, withDefaults));
        return out;
    }

    private void visit(Request request, Consumer<TestTree> visitor) {
        if (tenant != null && !tenant.equals(request.tenant())) {
            throw new IllegalArgumentException("the request was made in another tenant");
        }
        if (request.values().layout() != layout) {
            throw new IllegalArgumentException("the request was made for another rule base");
        }
        TestTree rows = exact.get(request.action());
        if (rows != null) {
            visitor.accept(rows);
        }
        patterns.visit(request.action(), visitor);
    }

    /** Whether the tenant's default set applies: it does not where the user of the request has rows of their own. */
    private boolean defaults(Request request) {
        return byDefault
                && !(request.value(BuiltIn.USER.attribute(), userSlot) instanceof String user && users.contains(user));
    }

    /** The user of a request to whom the tenant's default set applies, so that there are no rows of their own yet; or null. */
    public @Nullable String byDefaultFor(Request request) {
        return byDefault
                        && request.value(BuiltIn.USER.attribute(), userSlot) instanceof String user
                        && !users.contains(user)
                ? user
                : null;
    }

    /** The users to whom the tenant's default set does not apply; none if there is no such set. */
    public Set<String> exempt() {
        return users;
    }

    /** The SHA-256 of the rows that judge, by id and version, and of who is exempt, in hex; {@code null} if there are none. */
    public @Nullable String digest() {
        return digest;
    }

    /** How many rows it holds. */
    public int rows() {
        return rules.size();
    }

    /** The rows as rules, in the order given; {@link Rule#name()} is the row's id. */
    public List<CompiledRule> rules() {
        return rules;
    }

    /** The rows that can no longer be used as they are stored. */
    public List<Unfit> unfit() {
        return unfit;
    }

    /** About how many bytes of memory it takes; for bounding a cache. */
    public long weight() {
        return weight;
    }
}
