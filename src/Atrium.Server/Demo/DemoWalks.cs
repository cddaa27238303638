using Atrium.Server.Pages;

namespace Atrium.Server.Demo;

/// <summary>One walk through each door, as commands that can be pasted into a shell and work. A test pastes them.</summary>
public static class DemoWalks
{
    /// <summary>The pair of RFC 7636 appendix B, so that what is printed can be compared with the document.</summary>
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private const string Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// <param name="url">The server's own address.</param>
    public static IReadOnlyList<DemoWalk> At(string url) => [AuthKit(url), AppNative(url), OAuth(url)];

    private static DemoWalk AuthKit(string url) => new(
        "AuthKit",
        "An API login that lets the person choose",
        "Mia is in two organizations, so her password alone is not enough: the answer lists them and brings a pending token that goes on with her choice.",
        [
            new DemoStep(
                "Sign in with a password. The answer is 403 organization_selection_required.",
                $$"""
                ATRIUM={{url}}
                ANSWER=$(curl -s $ATRIUM/user_management/authenticate -H 'Content-Type: application/json' -d '{
                  "client_id": "demo-authkit", "client_secret": "{{DemoRealm.ApiKey}}", "grant_type": "password",
                  "email": "mia@example.test", "password": "{{DemoRealm.Password}}"}')
                echo "$ANSWER"
                """),
            new DemoStep(
                "Choose the first organization with the pending token. Now there are tokens, and they speak of that one.",
                $$"""
                PENDING=$(echo "$ANSWER" | sed 's/.*"pending_authentication_token":"\([^"]*\)".*/\1/')
                CHOSEN=$(echo "$ANSWER" | sed 's/.*"organizations":\[{"id":"\([^"]*\)".*/\1/')
                curl -s $ATRIUM/user_management/authenticate -H 'Content-Type: application/json' -d '{
                  "client_id": "demo-authkit", "client_secret": "{{DemoRealm.ApiKey}}",
                  "grant_type": "urn:workos:oauth:grant-type:organization-selection",
                  "pending_authentication_token": "'$PENDING'", "organization_id": "'$CHOSEN'"}'
                """),
        ]);

    private static DemoWalk AppNative(string url) => new(
        "App-native",
        "A whole organization login as JSON",
        "No browser, no redirect: the app draws its own screens. It starts at the root, names the organization, and signs Mia in there.",
        [
            new DemoStep(
                "Start. The answer offers a password, and beside it a way to name the organization.",
                $$"""
                ATRIUM={{url}}
                ANSWER=$(curl -s $ATRIUM/t/acme/oauth2/authorize -d client_id=demo-native -d response_type=code -d response_mode=direct \
                  -d redirect_uri={{DemoRealm.NativeCallback}} -d 'scope=openid profile' -d state=s1)
                echo "$ANSWER"
                FLOW=$(echo "$ANSWER" | sed 's/.*"flowId":"\([^"]*\)".*/\1/')
                """),
            new DemoStep(
                "Name the organization. The flow is Northwind's from here on.",
                """
                curl -s $ATRIUM/t/acme/oauth2/authn -H 'Content-Type: application/json' -d '{"flowId": "'$FLOW'", "selectedAuthenticator": {
                  "authenticatorId": "T3JnYW5pemF0aW9uSWRlbnRpZmllckhhbmRsZXI6TE9DQUw", "params": {"orgHandle": "northwind"}}}'
                """),
            new DemoStep(
                "Sign in there. The answer ends with a code.",
                $$"""
                ANSWER=$(curl -s $ATRIUM/t/acme/oauth2/authn -H 'Content-Type: application/json' -d '{"flowId": "'$FLOW'", "selectedAuthenticator": {
                  "authenticatorId": "QmFzaWNBdXRoZW50aWNhdG9yOkxPQ0FM", "params": {"username": "mia@example.test", "password": "{{DemoRealm.Password}}"} } }')
                echo "$ANSWER"
                CODE=$(echo "$ANSWER" | sed 's/.*"code":"\([^"]*\)".*/\1/')
                """),
            new DemoStep(
                "Redeem the code. user_org in the tokens is Northwind.",
                $"""
                curl -s $ATRIUM/t/acme/oauth2/token -d grant_type=authorization_code -d client_id=demo-native \
                  -d code=$CODE -d redirect_uri={DemoRealm.NativeCallback}
                """),
        ]);

    private static DemoWalk OAuth(string url)
    {
        string authorize = $"{url}/t/acme/authorize?client_id=demo-web&response_type=code&scope=openid%20profile%20email"
            + $"&redirect_uri={Uri.EscapeDataString(DemoRealm.Callback)}&state=s1&code_challenge={Challenge}&code_challenge_method=S256";
        return new(
            "OAuth / OpenID Connect",
            "One token that speaks of every organization",
            "The code flow of any OpenID Connect library. The tokens carry an organizations array: the memberships that are active now, and no others.",
            [
                new DemoStep(
                    "Open the sign-in page, here with curl as the browser; or follow the link and look at it.",
                    $"""
                    ATRIUM={url}; rm -f /tmp/atrium-cookies
                    PAGE=$(curl -s -L -c /tmp/atrium-cookies -b /tmp/atrium-cookies '{authorize}')
                    HANDLE=$(echo "$PAGE" | sed -n 's/.*name="handle" value="\([^"]*\)".*/\1/p')
                    """,
                    new PageLink("Open the sign-in page", authorize)),
                new DemoStep(
                    "Sign in. The last redirect goes to the app, with a code.",
                    $$"""
                    CODE=$(curl -s -o /dev/null -w '%{redirect_url}' -c /tmp/atrium-cookies -b /tmp/atrium-cookies $ATRIUM/t/acme/sign-in \
                      --data-urlencode "handle=$HANDLE" -d email=mia@example.test --data-urlencode 'password={{DemoRealm.Password}}' \
                      | sed 's/.*code=\([^&]*\).*/\1/')
                    """),
                new DemoStep(
                    "Redeem the code.",
                    $"""
                    ANSWER=$(curl -s $ATRIUM/t/acme/token -d grant_type=authorization_code -d client_id=demo-web -d code=$CODE \
                      -d redirect_uri={DemoRealm.Callback} -d code_verifier={Verifier})
                    echo "$ANSWER"
                    """),
                new DemoStep(
                    "Ask who it is. The memberships are read afresh; userinfo and the tokens say the same.",
                    """
                    curl -s $ATRIUM/t/acme/userinfo -H "Authorization: Bearer $(echo "$ANSWER" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"
                    """),
            ]);
    }
}
