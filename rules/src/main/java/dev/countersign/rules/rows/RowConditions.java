package dev.countersign.rules.rows;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.ServerOwn;
import dev.countersign.rules.facts.Type;
import java.util.ArrayList;
import java.util.List;

/** The conditions that a row has by its columns: its action, resource and scope, and the delegation that it needs. */
final class RowConditions {
    private static final Operand ACTION = new Operand.Field(BuiltIn.ACTION.attribute());
    private static final Expr DELEGATED = new Expr.MemberOfList(ACTION, ServerOwn.DELEGATED, false);

    private RowConditions() {}

    /** All of them, those that every request can answer first. */
    static List<Expr> of(PolicyRow row) {
        var out = new ArrayList<Expr>();
        matches(BuiltIn.ACTION, row.actionPattern(), out);
        String resource = row.resourcePattern();
        int slash = resource == null ? -1 : resource.indexOf('/');
        if (resource != null && slash >= 0) {
            matches(BuiltIn.RESOURCE_TYPE, resource.substring(0, slash), out);
            matches(BuiltIn.RESOURCE_ID, resource.substring(slash + 1), out);
        }
        if (row.scope().personal() && row.effect() == PolicyRow.Kind.ALLOW) {
            out.add(DELEGATED);
        }
        scope(row, out);
        return out;
    }

    private static void scope(PolicyRow row, List<Expr> out) {
        String ref = row.scopeRef();
        if (ref == null) {
            return;
        }
        switch (row.scope()) {
            case APP -> is(BuiltIn.APP, ref, out);
            case TOOL -> is(BuiltIn.TOOL, ref, out);
            case WORKFLOW -> is(BuiltIn.WORKFLOW, ref, out);
            case AGENT -> is(BuiltIn.AGENT, ref, out);
            case USER -> {
                if (row.byDefault()) {
                    out.add(new Expr.IsNull(BuiltIn.USER.attribute(), true));
                } else {
                    is(BuiltIn.USER, ref, out);
                }
            }
            case GLOBAL, TENANT -> {}
        }
        if (row.scope().personal() && row.owner() != null && !ref.equals(row.owner())) {
            is(BuiltIn.USER, row.owner(), out);
        }
    }

    /** Known to be absent is not in this scope; a value that cannot be read could be. */
    private static void is(BuiltIn field, String value, List<Expr> out) {
        out.add(new Expr.IsNull(field.attribute(), true));
        out.add(equal(field, value));
    }

    private static Expr equal(BuiltIn field, String value) {
        return new Expr.Compare(
                new Operand.Field(field.attribute()), Expr.Comparison.EQ, new Operand.Literal(Type.TEXT, value, value));
    }

    private static void matches(BuiltIn field, String pattern, List<Expr> out) {
        if (!Glob.isPattern(pattern)) {
            out.add(equal(field, pattern));
        } else if (pattern.chars().anyMatch(c -> c != '*')) {
            out.add(new Expr.MatchesGlob(field.attribute(), new Glob(pattern), pattern));
        }
    }
}
