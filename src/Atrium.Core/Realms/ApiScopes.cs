namespace Atrium.Core.Realms;

/// <summary>What an API key may be allowed. A key may do what its scopes name and nothing else.</summary>
public static class ApiScopes
{
    public const string ApiKeysRead = "api_keys:read";

    /// <summary>Make, change, rotate and delete keys; none with a scope that the caller's own lacks.</summary>
    public const string ApiKeysWrite = "api_keys:write";

    public const string ClientsRead = "clients:read";

    public const string ClientsWrite = "clients:write";

    public const string ConnectionsRead = "connections:read";

    public const string ConnectionsWrite = "connections:write";

    /// <summary>Read the log of what happened.</summary>
    public const string EventsRead = "events:read";

    /// <summary>Ask why somebody can or can't sign in, and what a token would say.</summary>
    public const string ExplainRead = "explain:read";

    public const string MailRead = "mail:read";

    public const string MailWrite = "mail:write";

    public const string OrganizationsRead = "organizations:read";

    public const string OrganizationsWrite = "organizations:write";

    public const string DomainsRead = "organizations.domains:read";

    public const string DomainsWrite = "organizations.domains:write";

    public const string InvitationsRead = "organizations.invitations:read";

    public const string InvitationsWrite = "organizations.invitations:write";

    public const string MembersRead = "organizations.members:read";

    public const string MembersWrite = "organizations.members:write";

    /// <summary>Read the roles of the realm and of its organizations.</summary>
    public const string RolesRead = "roles:read";

    public const string RolesWrite = "roles:write";

    public const string SessionsRead = "sessions:read";

    /// <summary>End sessions.</summary>
    public const string SessionsWrite = "sessions:write";

    /// <summary>Sign people in: <c>POST /user_management/authenticate</c>, and the challenges that belong to it.</summary>
    public const string SignIn = "sign-in";

    public const string SigningKeysRead = "signing_keys:read";

    /// <summary>Rotate them.</summary>
    public const string SigningKeysWrite = "signing_keys:write";

    /// <summary>Read people, their factors and their sessions.</summary>
    public const string UsersRead = "users:read";

    /// <summary>Make, change and delete people and their factors.</summary>
    public const string UsersWrite = "users:write";

    public const string WebhooksRead = "webhooks:read";

    public const string WebhooksWrite = "webhooks:write";

    /// <summary>Everything that a key can be given, beside <c>*:**</c>.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        ApiKeysRead, ApiKeysWrite, ClientsRead, ClientsWrite, ConnectionsRead, ConnectionsWrite, EventsRead, ExplainRead, MailRead, MailWrite,
        OrganizationsRead, OrganizationsWrite, DomainsRead, DomainsWrite, InvitationsRead, InvitationsWrite, MembersRead, MembersWrite, RolesRead, RolesWrite,
        SessionsRead, SessionsWrite, SignIn, SigningKeysRead, SigningKeysWrite, UsersRead, UsersWrite, WebhooksRead, WebhooksWrite,
    ];
}
