package dev.countersign.rules.dialect;

import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Type;
import org.jspecify.annotations.Nullable;

/** One side of a comparison. */
public sealed interface Operand {
    /** The type of its value. */
    Type type();

    /** An attribute of the request. */
    record Field(Attribute attribute) implements Operand {
        @Override
        public Type type() {
            return attribute.type();
        }
    }

    /** A literal: a {@code String}, {@code Double}, {@code Boolean} or {@code Instant}; the text as it was written. */
    record Literal(Type type, Object value, String text) implements Operand {}

    /** A parameter's value for the tenant. */
    record Parameter(Param param) implements Operand {
        @Override
        public Type type() {
            return param.type();
        }
    }

    /** The hours from a time until now; negative for a time to come. */
    record HoursSince(Attribute time) implements Operand {
        @Override
        public Type type() {
            return Type.NUMBER;
        }
    }

    /** The number of elements of a list, or of its texts that match a pattern. */
    record Count(
            Attribute list, @Nullable Glob glob, @Nullable String pattern) implements Operand {
        @Override
        public Type type() {
            return Type.NUMBER;
        }
    }
}
