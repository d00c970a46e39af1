package dev.countersign.rules.boundary;

import java.time.Instant;

/**
 * What all boundary requests have in common.
 *
 * @param tenant the tenant in which they are made
 * @param now when they are made, except where a rule tests the clock itself
 */
public record Frame(String tenant, Instant now) {}
