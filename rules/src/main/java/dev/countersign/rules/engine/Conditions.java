package dev.countersign.rules.engine;

import static dev.countersign.rules.engine.Condition.FALSE;
import static dev.countersign.rules.engine.Condition.TRUE;
import static dev.countersign.rules.engine.Condition.UNKNOWN;
import static dev.countersign.rules.engine.Condition.known;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Layout;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.facts.Unavailable;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Turns checked conditions into closures over one layout. */
public final class Conditions {
    /** Reads one operand of a request. */
    @FunctionalInterface
    public interface Reading {
        /** The operand's value, {@code null} if absent, or {@link Unavailable}. */
        @Nullable
        Object of(Request request);
    }

    private final Layout layout;
    private final Map<Attribute, Reading> fields = new HashMap<>();
    private final Map<Expr, Condition> made = new HashMap<>();

    /** Closures that read from {@code layout}, which grows by what the conditions name. */
    public Conditions(Layout layout) {
        this.layout = layout;
    }

    /** The closure of a condition; equal conditions share one. */
    public Condition of(Expr expr) {
        Condition known = made.get(expr);
        if (known == null) {
            known = closure(expr);
            made.put(expr, known);
        }
        return known;
    }

    private Condition closure(Expr expr) {
        if (expr instanceof Expr.Or or) {
            return or.parts().stream().map(this::of).reduce(Condition::or).orElseThrow();
        }
        if (expr instanceof Expr.And and) {
            return and.parts().stream().map(this::of).reduce(Condition::and).orElseThrow();
        }
        if (expr instanceof Expr.Not not) {
            return Condition.not(of(not.part()));
        }
        return test((Expr.Test) expr);
    }

    private Condition test(Expr.Test test) {
        if (test instanceof Expr.Truth truth) {
            Reading value = reading(truth.attribute());
            return request -> value.of(request) instanceof Boolean holds ? known(holds, false) : UNKNOWN;
        }
        if (test instanceof Expr.IsNull isNull) {
            Reading value = reading(isNull.attribute());
            return request -> {
                Object found = value.of(request);
                return found == Unavailable.VALUE ? UNKNOWN : known(found == null, isNull.negated());
            };
        }
        if (test instanceof Expr.Compare compare) {
            return compare(compare);
        }
        if (test instanceof Expr.In in) {
            return in(in);
        }
        if (test instanceof Expr.Contains contains) {
            return member(operand(contains.text()), reading(contains.list()), contains.negated());
        }
        if (test instanceof Expr.MemberOfAttribute member) {
            return member(operand(member.left()), reading(member.list()), member.negated());
        }
        return text(test);
    }

    private Condition compare(Expr.Compare compare) {
        Reading left = operand(compare.left());
        Reading right = operand(compare.right());
        if (compare.op().equality()) {
            boolean negated = compare.op() == Expr.Comparison.NE;
            if (compare.right() instanceof Operand.Literal literal && literal.value() instanceof String text) {
                return request ->
                        left.of(request) instanceof String found ? known(text.equals(found), negated) : UNKNOWN;
            }
            return request -> {
                Object a = left.of(request);
                Object b = right.of(request);
                return usable(a) && usable(b) ? known(same(a, b), negated) : UNKNOWN;
            };
        }
        Expr.Comparison op = compare.op();
        if (compare.right() instanceof Operand.Literal literal && literal.value() instanceof Double number) {
            double limit = number + 0.0; // minus zero is zero
            if (compare.left() instanceof Operand.Field field
                    && !field.attribute().required()) {
                Attribute attribute = field.attribute();
                int slot = layout.slot(attribute);
                return request -> request.value(attribute, slot) instanceof Double found
                        ? known(ordered(op, Double.compare(found + 0.0, limit)), false)
                        : UNKNOWN;
            }
            return request -> left.of(request) instanceof Double found
                    ? known(ordered(op, Double.compare(found + 0.0, limit)), false)
                    : UNKNOWN;
        }
        if (compare.left().type() == dev.countersign.rules.facts.Type.NUMBER) {
            return request -> left.of(request) instanceof Double a && right.of(request) instanceof Double b
                    ? known(ordered(op, Double.compare(a + 0.0, b + 0.0)), false)
                    : UNKNOWN;
        }
        return request -> left.of(request) instanceof Instant a && right.of(request) instanceof Instant b
                ? known(ordered(op, a.compareTo(b)), false)
                : UNKNOWN;
    }

    private static boolean usable(@Nullable Object value) {
        return value != null && value != Unavailable.VALUE;
    }

    private static boolean same(@Nullable Object a, @Nullable Object b) {
        if (a instanceof Double x && b instanceof Double y) {
            return x.doubleValue() == y.doubleValue();
        }
        return java.util.Objects.equals(a, b);
    }

    private static boolean ordered(Expr.Comparison op, int sign) {
        return switch (op) {
            case LT -> sign < 0;
            case LE -> sign <= 0;
            case GT -> sign > 0;
            case GE -> sign >= 0;
            case EQ -> sign == 0;
            case NE -> sign != 0;
        };
    }

    private Condition in(Expr.In in) {
        Reading left = operand(in.left());
        Set<Object> values =
                in.values().stream().map(literal -> key(literal.value())).collect(Collectors.toUnmodifiableSet());
        return request -> {
            Object found = left.of(request);
            return found == null || found == Unavailable.VALUE
                    ? UNKNOWN
                    : known(values.contains(key(found)), in.negated());
        };
    }

    /** Minus zero is zero. */
    private static Object key(Object value) {
        return value instanceof Double number ? (Object) (number + 0.0) : value;
    }

    /** An element whose text is not known could be the one that is asked for. */
    private static Condition member(Reading text, Reading list, boolean negated) {
        return request -> {
            if (!(text.of(request) instanceof String wanted) || !(list.of(request) instanceof List<?> elements)) {
                return UNKNOWN;
            }
            boolean hole = false;
            for (Object element : elements) {
                if (wanted.equals(element)) {
                    return known(true, negated);
                }
                hole |= element == null;
            }
            return hole ? UNKNOWN : known(false, negated);
        };
    }

    private Condition text(Expr.Test test) {
        if (test instanceof Expr.Matches matches) {
            Reading left = operand(matches.left());
            return request -> left.of(request) instanceof String found
                    ? known(matches.regex().matches(found), matches.negated())
                    : UNKNOWN;
        }
        if (test instanceof Expr.MemberOfList member) {
            Reading left = operand(member.left());
            int slot = layout.slot(member.list());
            return request -> left.of(request) instanceof String found
                    ? known(request.values().list(slot).contains(found), member.negated())
                    : UNKNOWN;
        }
        if (test instanceof Expr.Affix affix) {
            Reading left = operand(affix.left());
            return request -> left.of(request) instanceof String found
                    ? known(affix.starts() ? found.startsWith(affix.text()) : found.endsWith(affix.text()), false)
                    : UNKNOWN;
        }
        if (test instanceof Expr.InCidr cidr) {
            Reading left = reading(cidr.address());
            return request -> {
                Boolean inside =
                        left.of(request) instanceof String found ? cidr.block().contains(found) : null;
                return inside == null ? UNKNOWN : inside ? TRUE : FALSE;
            };
        }
        var glob = (Expr.MatchesGlob) test;
        Reading left = reading(glob.attribute());
        return request ->
                left.of(request) instanceof String found ? known(glob.glob().matches(found), false) : UNKNOWN;
    }

    private Reading operand(Operand operand) {
        if (operand instanceof Operand.Field field) {
            return reading(field.attribute());
        }
        if (operand instanceof Operand.Literal literal) {
            Object value = literal.value();
            return request -> value;
        }
        if (operand instanceof Operand.Parameter parameter) {
            int slot = layout.slot(parameter.param());
            return request -> request.values().param(slot);
        }
        if (operand instanceof Operand.HoursSince since) {
            Reading time = reading(since.time());
            return request -> {
                Object found = time.of(request);
                if (!(found instanceof Instant instant)) {
                    return found;
                }
                Duration age = Duration.between(instant, request.now());
                return (Object) (age.getSeconds() / 3_600.0 + age.getNano() / 3.6e12);
            };
        }
        return count((Operand.Count) operand);
    }

    private Reading count(Operand.Count count) {
        Reading list = reading(count.list());
        return request -> {
            Object found = list.of(request);
            if (!(found instanceof List<?> elements)) {
                return found;
            }
            if (count.glob() == null) {
                return (double) elements.size();
            }
            int matching = 0;
            for (Object element : elements) {
                if (!(element instanceof String text)) {
                    return Unavailable.VALUE;
                }
                matching += count.glob().matches(text) ? 1 : 0;
            }
            return (double) matching;
        };
    }

    /** What reads an attribute. Conditions on it share one: thousands of them stay near each other in memory. */
    public Reading reading(Attribute attribute) {
        return fields.computeIfAbsent(attribute, this::reader);
    }

    private Reading reader(Attribute attribute) {
        if (attribute.builtIn() != null && attribute.required()) {
            return required(attribute.builtIn());
        }
        int slot = layout.slot(attribute);
        return request -> request.value(attribute, slot);
    }

    private static Reading required(BuiltIn field) {
        return switch (field) {
            case TENANT -> Request::tenant;
            case SUBJECT_TYPE -> Request::subjectType;
            case SUBJECT_ID -> Request::subjectId;
            case ACTION -> Request::action;
            case RESOURCE_TYPE -> Request::resourceType;
            case RESOURCE_ID -> Request::resourceId;
            case NOW -> Request::now;
            default -> throw new IllegalArgumentException(field + " is not in every request");
        };
    }
}
