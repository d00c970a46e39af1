package dev.countersign.rules.verdict;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;

/** What one rule said: one of its effects. */
public record Finding(Rule rule, Effect effect) {}
