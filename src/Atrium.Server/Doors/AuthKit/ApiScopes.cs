namespace Atrium.Server.Doors.AuthKit;

/// <summary>What an API key may be allowed at this door. A key may do what its scopes name and nothing else.</summary>
public static class ApiScopes
{
    /// <summary>Read people, their factors and their sessions.</summary>
    public const string UsersRead = "users:read";

    /// <summary>Make, change and delete people and their factors.</summary>
    public const string UsersWrite = "users:write";

    public const string OrganizationsRead = "organizations:read";

    public const string OrganizationsWrite = "organizations:write";

    public const string MembersRead = "organizations.members:read";

    public const string MembersWrite = "organizations.members:write";

    /// <summary>End sessions.</summary>
    public const string SessionsWrite = "sessions:write";

    /// <summary>Sign people in: <c>POST /user_management/authenticate</c>, and the challenges that belong to it.</summary>
    public const string SignIn = "sign-in";

    /// <summary>Everything that a key can be given here, beside <c>*:**</c>.</summary>
    public static IReadOnlyList<string> All { get; } =
        [UsersRead, UsersWrite, OrganizationsRead, OrganizationsWrite, MembersRead, MembersWrite, SessionsWrite, SignIn];
}
