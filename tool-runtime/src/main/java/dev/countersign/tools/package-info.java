/**
 * The tools that run once a call is allowed: classes of errors, retries, a capped parallel map, and an executor that
 * writes every run down before it starts. Nothing here blocks a thread while it waits.
 */
@NullMarked
package dev.countersign.tools;

import org.jspecify.annotations.NullMarked;
