package dev.countersign.rules.dialect;

import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Cidr;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.NamedList;
import java.util.List;
import java.util.function.Consumer;

/** A condition, checked and typed: what remains of the author's text once the gate has understood it. */
public sealed interface Expr {
    /** Any part holds. */
    record Or(List<Expr> parts) implements Expr {}

    /** Every part holds. */
    record And(List<Expr> parts) implements Expr {}

    /** The part does not hold. */
    record Not(Expr part) implements Expr {}

    /** A condition without parts. */
    sealed interface Test extends Expr {}

    /** A boolean attribute is true. */
    record Truth(Attribute attribute) implements Test {}

    /** The attribute is absent; or, negated, it is there. */
    record IsNull(Attribute attribute, boolean negated) implements Test {}

    /** Two values compare so. */
    record Compare(Operand left, Comparison op, Operand right) implements Test {}

    /** The value is one of these literals. */
    record In(Operand left, List<Operand.Literal> values, boolean negated) implements Test {}

    /** The whole text matches a regular expression (RE2 syntax). */
    record Matches(Operand left, Regex regex, boolean negated) implements Test {}

    /** A list holds a text. */
    record Contains(Attribute list, Operand text, boolean negated) implements Test {}

    /** A text is an entry of a named list, or matches one. */
    record MemberOfList(Operand left, NamedList list, boolean negated) implements Test {}

    /** A text is an element of a list attribute. */
    record MemberOfAttribute(Operand left, Attribute list, boolean negated) implements Test {}

    /** A text starts or ends with a literal. */
    record Affix(Operand left, boolean starts, String text) implements Test {}

    /** A text is an address inside a block. */
    record InCidr(Attribute address, Cidr block, String text) implements Test {}

    /** A text matches a pattern with {@code *}. */
    record MatchesGlob(Attribute attribute, Glob glob, String pattern) implements Test {}

    /** The comparison operators. */
    enum Comparison {
        /** Equal. */
        EQ("=="),
        /** Not equal. */
        NE("!="),
        /** Less. */
        LT("<"),
        /** Less or equal. */
        LE("<="),
        /** Greater. */
        GT(">"),
        /** Greater or equal. */
        GE(">=");

        private final String symbol;

        Comparison(String symbol) {
            this.symbol = symbol;
        }

        /** How a rule writes it. */
        public String symbol() {
            return symbol;
        }

        /** Whether it needs no order. */
        public boolean equality() {
            return this == EQ || this == NE;
        }
    }

    /** The conditions that this one is made of, left to right; none for a test. */
    default List<Expr> parts() {
        return this instanceof Not not ? List.of(not.part()) : List.of();
    }

    /** Visits every test of this condition, left to right. */
    default void tests(Consumer<Test> visitor) {
        if (this instanceof Test test) {
            visitor.accept(test);
        }
        parts().forEach(part -> part.tests(visitor));
    }

    /** Visits every attribute that this condition reads, left to right. */
    default void attributes(Consumer<Attribute> visitor) {
        tests(test -> Canonical.operands(test).forEach(operand -> {
            if (operand instanceof Operand.Field field) {
                visitor.accept(field.attribute());
            } else if (operand instanceof Operand.HoursSince since) {
                visitor.accept(since.time());
            } else if (operand instanceof Operand.Count count) {
                visitor.accept(count.list());
            }
        }));
    }

    /** Whether some request can leave this condition unknown. */
    default boolean optional() {
        boolean[] optional = {false};
        // a text that is no address is unknown to cidr, also where every request has the text
        tests(test -> optional[0] |= test instanceof InCidr);
        attributes(attribute -> optional[0] |= !attribute.required());
        return optional[0];
    }
}
