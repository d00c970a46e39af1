package dev.countersign.server.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.extension.ExtendWith;

class PostgresExtensionTest {

    @Nested
    @ExtendWith(PostgresExtension.class)
    class AskedForBeforeAllTests {

        private static PostgresAddress ofTheClass;

        @BeforeAll
        static void keep(PostgresAddress address) {
            ofTheClass = address;
        }

        @RepeatedTest(2)
        void isOneDatabaseForTheClass(PostgresAddress address) {
            assertThat(address).isEqualTo(ofTheClass);
        }
    }

    @Nested
    @ExtendWith(PostgresExtension.class)
    class AskedForInTests {

        private static final Set<String> SEEN = ConcurrentHashMap.newKeySet();

        @RepeatedTest(2)
        void isADatabaseForEachTest(PostgresAddress address) throws Exception {
            SEEN.add(address.database());
            Sql.execute(address, "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')");
        }

        @AfterAll
        static void sawTwo() {
            assertThat(SEEN).hasSize(2);
        }
    }
}
