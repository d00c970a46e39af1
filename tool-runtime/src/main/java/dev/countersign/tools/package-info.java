/** Tools that run behind the SDK. */
@NullMarked
package dev.countersign.tools;

import org.jspecify.annotations.NullMarked;
