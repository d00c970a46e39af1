package dev.countersign.rules.boundary;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.engine.Condition;
import java.util.List;
import java.util.function.Function;

/**
 * The conditions of a clause over the values of a space, in the logic of {@link Condition} with one more value: open,
 * while a spot has no value yet and the others do not settle it.
 *
 * @param clause the clause
 * @param conditions its conditions
 * @param places the numbers of the spots that it reads, rising
 */
record Formula(Clause clause, List<Node> conditions, List<Integer> places) {
    /** Not settled by the values so far. */
    static final int OPEN = 3;

    /** A condition or a part of one. */
    interface Node {
        int at(int[] values);
    }

    int status(int[] values) {
        return and(conditions, values);
    }

    static Node node(Expr expr, Function<Expr.Test, Node> tests) {
        if (expr instanceof Expr.Test test) {
            return tests.apply(test);
        }
        List<Node> parts = expr.parts().stream().map(part -> node(part, tests)).toList();
        if (expr instanceof Expr.And) {
            return values -> and(parts, values);
        }
        if (expr instanceof Expr.Or) {
            return values -> or(parts, values);
        }
        return values -> {
            int part = parts.get(0).at(values);
            return part == OPEN ? OPEN : Condition.TRUE - part;
        };
    }

    private static int and(List<Node> parts, int[] values) {
        int all = Condition.TRUE;
        boolean open = false;
        for (Node part : parts) {
            int one = part.at(values);
            if (one == Condition.FALSE) {
                return Condition.FALSE;
            }
            open |= one == OPEN;
            all = Math.min(all, one);
        }
        return open ? OPEN : all;
    }

    private static int or(List<Node> parts, int[] values) {
        int any = Condition.FALSE;
        boolean open = false;
        for (Node part : parts) {
            int one = part.at(values);
            if (one == Condition.TRUE) {
                return Condition.TRUE;
            }
            open |= one == OPEN;
            any = one == OPEN ? any : Math.max(any, one);
        }
        return open ? OPEN : any;
    }
}
