// Every door's flows once more, with two nodes that take turns at every request.
process.env.ATRIUM_TEST_NODES = '2';
await import('./oauth.signin.test.mjs');
await import('./authkit.session.test.mjs');
await import('./app-native.signin.test.mjs');
