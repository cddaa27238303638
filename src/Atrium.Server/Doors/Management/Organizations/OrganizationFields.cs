using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors.Management.Bodies;

namespace Atrium.Server.Doors.Management.Organizations;

/// <summary>What a body says of an organization.</summary>
internal static class OrganizationFields
{
    private static readonly Field<string> Name = ResourceRules.Line("name").Required();

    private static readonly Field<string> Handle = Field.Text("handle", Handles.MaxLength)
        .Check(static handle => Handles.IsValid(handle) ? null : "A handle has lower-case letters, digits and hyphens, none of them at its ends.")
        .Describe("Unique in the realm; made from the name where none is given.");

    private static readonly Field<Id<Organization>?> ParentId = Field.IdOf<Organization>("parent_id")
        .Describe($"The organization that it belongs to; up to {OrganizationRules.MaxDepth} stand in a line. One that others belong to can't be put below another.");

    private static readonly Field<OrganizationStatus?> Status = Field.Choice("status", ("active", OrganizationStatus.Active), ("suspended", OrganizationStatus.Suspended));

    private static readonly Field<string> StatusReason = Field.Text("status_reason", OrganizationRules.MaxStatusReasonLength)
        .Check(ResourceRules.NoNull)
        .Describe("Why it has that status, for operators; it goes with the status.");

    private static readonly Field<string> ExternalId = Field.Text("external_id", TextRules.MaxExternalIdLength)
        .Check(static id => TextRules.IsExternalId(id) ? null : "An external id has ASCII characters only.")
        .Describe("The product's own id of it; unique in the realm.");

    private static readonly Field<IReadOnlyDictionary<string, string>> Metadata = ResourceRules.Metadata;

    private static readonly Field<IReadOnlyList<string>> DefaultMemberScopes =
        ResourceRules.Scopes("default_member_scopes", ScopeRules.MaxScopes).Describe("Scopes that a new member gets when none are named.");

    private static readonly Field<bool?> MfaRequired = Field.Flag("mfa_required").Describe("Everybody who enters must show a second factor.");

    private static readonly (string Word, AuthenticationMethod Value)[] Methods =
        [.. SignInPolicy.Named.Select(static method => (JsonNamingPolicy.SnakeCaseLower.ConvertName(method.ToString()), method))];

    private static readonly Field<IReadOnlyList<AuthenticationMethod?>> AllowedMethods =
        Field.List("allowed_methods", Field.Choice("method", Methods), Methods.Length, min: 1)
            .Describe("The methods that count here; null for all. A recovery code counts where `totp` does.");

    private static readonly Field<bool?> SsoOnly = Field.Flag("sso_only").Describe("Only the organization's own identity provider may vouch for its people.");

    private static readonly Field<int?> MaxMembers = Field.Whole("max_members", 1, OrganizationRules.HighestMaxMembers)
        .Describe("How many members there may be, of whatever status; null for no maximum.");

    private static readonly Field<int?> SessionMaxAge = Field
        .Whole("session_max_age", OrganizationRules.ShortestSessionMaxAge, OrganizationRules.LongestSessionMaxAge)
        .Describe("Seconds for which what somebody showed counts here; null for as long as the session lasts.");

    private static readonly Field<bool?> AllowProfilesOutside =
        Field.Flag("allow_profiles_outside").Describe("Kept for AuthKit's clients, who show and change it; true unless said.");

    private static readonly Field<Body> Settings = Field.Nested(
        "settings", new Shape(DefaultMemberScopes, MfaRequired, AllowedMethods, SsoOnly, MaxMembers, SessionMaxAge, AllowProfilesOutside));

    /// <summary>Of one that is made: it gets a handle and is active where the body says nothing of that.</summary>
    public static readonly Shape New = new(Name, Handle, ParentId, Status, StatusReason, ExternalId, Metadata, Settings);

    private static readonly Field<string> KeptHandle = Handle.Required();

    private static readonly Field<OrganizationStatus?> KeptStatus = Status.Required();

    /// <summary>Of one that is there: it has a handle and a status, and can't be without.</summary>
    public static readonly Shape Change = new(Name, KeptHandle, ParentId, KeptStatus, StatusReason, ExternalId, Metadata, Settings);

    public static IReadOnlyList<string> HandlesOf(Body body, Id<Organization> id) =>
        body.Of(Handle) is { } handle ? [handle] : Handles.Candidates(body.Of(Name)!, id);

    /// <summary>The organization with everything that the body says, and nothing that it doesn't.</summary>
    public static Organization Apply(Body body, Organization organization)
    {
        Body? settings = body.Of(Settings);
        return organization with
        {
            Name = body.Of(Name)!,
            Handle = body.Of(KeptHandle) ?? organization.Handle,
            ParentId = body.Of(ParentId),
            Status = body.Of(KeptStatus) ?? body.Of(Status) ?? organization.Status,
            StatusReason = body.Of(StatusReason),
            ExternalId = body.Of(ExternalId),
            Metadata = body.Of(Metadata) ?? new Dictionary<string, string>(StringComparer.Ordinal),
            Settings = settings is null ? new OrganizationSettings() : SettingsOf(settings),
        };
    }

    /// <summary>What can't all hold together.</summary>
    public static ManagementError? Problem(Organization organization) =>
        OrganizationRules.ProblemsWith(organization.Settings)
            .Select(static problem => new Problem($"/settings/{problem.Setting}", $"/settings/{problem.Setting} {problem.Message}."))
            .ToArray() is { Length: > 0 } problems
            ? ManagementError.Unprocessable(problems)
            : null;

    private static OrganizationSettings SettingsOf(Body settings) => new()
    {
        DefaultMemberScopes = settings.Of(DefaultMemberScopes) ?? [],
        MfaRequired = settings.Of(MfaRequired) ?? false,
        AllowedMethods = settings.Of(AllowedMethods) is { } methods ? [.. methods.OfType<AuthenticationMethod>().Distinct()] : null,
        SsoOnly = settings.Of(SsoOnly) ?? false,
        MaxMembers = settings.Of(MaxMembers),
        SessionMaxAge = settings.Of(SessionMaxAge),
        AllowProfilesOutside = settings.Of(AllowProfilesOutside) ?? true,
    };
}
