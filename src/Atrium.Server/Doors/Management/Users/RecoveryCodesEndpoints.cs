using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Users;

/// <summary><c>/users/{id}/recovery-codes</c>: what stands in for a person's authenticator app.</summary>
public static class RecoveryCodesEndpoints
{
    public static void MapRecoveryCodes(this RouteGroupBuilder users)
    {
        RouteGroupBuilder codes = users.MapGroup("/{id}/recovery-codes").WithTags("Factors");
        codes.MapGet("", GetAsync).WithName("getUserRecoveryCodes").Needs(ApiScopes.UsersRead)
            .WithSummary("Shows how many recovery codes a person has left.").AnswersOne<RecoveryCodesResource>();
        codes.MapPost("", ReplaceAsync).WithName("replaceUserRecoveryCodes").Needs(ApiScopes.UsersWrite)
            .WithSummary("Makes new recovery codes in the place of the old ones; they are shown this once. They stand in for a second factor: without one nothing asks for them.")
            .AnswersOne<NewRecoveryCodesResource>(StatusCodes.Status201Created);
    }

    private static async Task<IResult> GetAsync(
        HttpContext context, string id, UserStore users, RecoveryCodeStore codes, CancellationToken cancellationToken)
    {
        if (await UsersEndpoints.FindAsync(context, id, users, cancellationToken) is not { } user)
            return ManagementError.NotFound;
        RecoveryCodes left = await codes.FindAsync(user.RealmId, user.Id, cancellationToken);
        return new One<RecoveryCodesResource>(RecoveryCodesResource.Of(user.Id, left.Unused.Count, left.MadeAt), ResourceJson.Default.RecoveryCodesResource);
    }

    private static async Task<IResult> ReplaceAsync(
        HttpContext context, string id, UserStore users, RecoveryCodeStore codes, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await UsersEndpoints.FindAsync(context, id, users, cancellationToken) is not { } user)
            return ManagementError.NotFound;
        IReadOnlyList<string> made = RecoveryCode.NewSet();
        DateTimeOffset now = clock.GetUtcNow();
        return Answer(await codes.ReplaceAsync(user.RealmId, user.Id, SecondFactorDesk.HashesOf(made), now, context.Origin<bool>(Answer), cancellationToken));

        IResult Answer(bool done)
        {
            RecoveryCodesResource shown = RecoveryCodesResource.Of(user.Id, made.Count, now);
            return done
                ? new One<NewRecoveryCodesResource>(
                    NewRecoveryCodesResource.Of(shown, made),
                    ResourceJson.Default.NewRecoveryCodesResource,
                    StatusCodes.Status201Created,
                    EntityTag.Of(shown, ResourceJson.Default.RecoveryCodesResource))
                : ManagementError.NotFound;
        }
    }
}
