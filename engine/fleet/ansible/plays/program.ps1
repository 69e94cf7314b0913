# What is asked of Windows hosts, in the words of the program of other hosts (job.sh): "check" and what
# it is about, "look" and a job, "installed" and numbers of updates. Nothing is installed by it.
# An update is there or is not: where it is, it has the version that a step says it brings.
param([string[]] $Words)
$ErrorActionPreference = 'Stop'
$state = Join-Path $env:ProgramData 'ringmaster'

function Say { $args -join "`t" }
function Plain([string] $text) { ($text -replace '\s+', ' ').Trim() }
function Test-Update([string] $kb) {
    [bool] (Get-HotFix -Id $kb -ErrorAction SilentlyContinue) -or
        [bool] (Get-WindowsPackage -Online | Where-Object { $_.PackageName -match "$kb(\D|$)" -and $_.PackageState -match '^Install' })
}
function Find-Update([string] $kb, [string] $which) {
    (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher().Search($which).Updates |
        Where-Object { "KB$($_.KBArticleIDs | Select-Object -First 1)" -eq $kb } | Select-Object -First 1
}
function Test-Pending {
    (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') -or
        (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired')
}
function Get-Seconds { [DateTimeOffset]::UtcNow.ToUnixTimeSeconds() }
function Get-Lines([string] $job, [string] $word) { # what follows a word of a job's request, each as an array
    Get-Content (Join-Path $state "$job\request") | ForEach-Object { , ($_ -split "`t") } | Where-Object { $_[0] -eq $word }
}
function Write-State([string] $job, [string] $name, [string[]] $lines) { # all or nothing
    $file = Join-Path $state "$job\$name"
    [IO.File]::WriteAllText("$file.new", ($lines -join "`n") + "`n")
    Move-Item -Force "$file.new" $file
}

# Look tells how far a job is, and settles one whose updates were moved, or that nobody is at work on.
function Look([string] $job) {
    $folder = Join-Path $state $job
    if (-not (Test-Path "$folder\request")) { return Say state none }
    if (-not (Test-Path "$folder\result")) {
        $phase = if (Test-Path "$folder\phase") { (Get-Content "$folder\phase" -TotalCount 1) } else { '' }
        $idle = -not (New-Object -ComObject Microsoft.Update.Session).CreateUpdateInstaller().IsBusy
        $age = ((Get-Date) - (Get-Item $(if ($phase) { "$folder\phase" } else { "$folder\request" })).LastWriteTime).TotalMinutes
        if (-not ($phase -like 'moved*') -and -not ($idle -and $age -gt 120)) { Say state running; return Say phase $phase }
        $wrong = @(); $versions = @()
        foreach ($m in Get-Lines $job move) {
            $there = Test-Update $m[1]; $wanted = $m[3] -ne '-'
            if ($there -ne $wanted) { $wrong += "$($m[1]) is $(if ($there) { 'still' } else { 'not' }) installed" }
            $versions += Say version $m[1] $(if ($there) { if ($wanted) { $m[3] } else { $m[2] } } else { '-' }) ok
        }
        $detail = if (Test-Path "$folder\log") { Plain (Get-Content "$folder\log" -Raw) } else { '' }
        $remark = if (Test-Pending) { 'the host waits for a restart' } else { '' }
        Write-State $job result (@((Say state $(if ($wrong) { 'failed' } else { 'succeeded' })), (Say finished (Get-Seconds)),
                (Say restarted $(if ($phase -like '*restarted*') { 1 } else { 0 }))) + $versions + (Say detail $(if ($wrong) { ($wrong -join '; ') + '; ' + $detail } else { $remark })))
    }
    Say at (Get-Lines $job at)[0][1]
    Get-Content "$folder\result"
}

function Check([string] $job, [string] $op, [string] $type, [string[]] $moves) {
    if (Test-Path (Join-Path $state "$job\request")) { return Look $job }
    $who = [Security.Principal.WindowsPrincipal] [Security.Principal.WindowsIdentity]::GetCurrent()
    Say state none
    Say uid $(if ($who.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { 0 } else { 1 })
    Say now (Get-Seconds)
    Say free ([long] ((Get-PSDrive ($env:SystemDrive[0])).Free / 1MB)) $env:SystemDrive
    if (Test-Pending) { Say pending }
    if ((New-Object -ComObject Microsoft.Update.Session).CreateUpdateInstaller().IsBusy) { Say locked 'Windows is installing updates' }
    if ($op -eq 'rollback') { Say undoes '' }
    for ($i = 0; $i -lt $moves.Count; $i += 3) {
        $kb, $from, $to = $moves[$i..($i + 2)]
        $there = Test-Update $kb
        Say version $kb $(if (-not $there) { '-' } elseif ($op -eq 'apply') { $to } else { $from }) ok
        Say target $kb
        if ($op -eq 'apply') {
            $update = Find-Update $kb 'IsInstalled=0'
            if (-not $update) { Say failed "Windows Update offers no $kb to this host"; continue }
            Say known $kb $to
            Say size ([long] ($update.MaxDownloadSize / 1KB) * 3)
            Say inst $kb $from $to
        } elseif ($there) {
            $update = Find-Update $kb 'IsInstalled=1'
            if ($update -and -not $update.IsUninstallable) { Say failed "$kb cannot be uninstalled, says Windows"; continue }
            Say remv $kb
        }
    }
}

try {
    $verb, $rest = $Words
    switch ($verb) {
        'look' { Look $rest[0] }
        'check' { Check $rest[0] $rest[1] $rest[2] $rest[3..$rest.Count] }
        'installed' { foreach ($kb in $rest) { if (-not (Test-Update $kb)) { Say version $kb '-' ok } } } # of one that is there the version is not known
        default { throw "there is no $verb" }
    }
    'end'
} catch {
    Say refused "line $($_.InvocationInfo.ScriptLineNumber): $(Plain $_.Exception.Message)"
    'end'
}
